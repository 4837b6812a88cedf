package chat

// The roles that herd itself uses. Templates may know others.
const (
	System    = "system"
	User      = "user"
	Assistant = "assistant" // the model's own turns
	Tool      = "tool"      // the result of a call that the assistant made
)

// roles maps the role names of data sets and APIs to the role names of templates. The
// assistant writes a function call, so a model is trained on it. The result of the call is
// input, so a model is not trained on it.
var roles = map[string]string{
	"system": System, "developer": System, // OpenAI's later name
	"user": User, "human": User, "prompter": User,
	"assistant": Assistant, "gpt": Assistant, "chatgpt": Assistant, "bot": Assistant, "model": Assistant,
	"function_call": Assistant,
	"tool":          Tool, "observation": Tool, "function": Tool, "function_response": Tool,
	"ipython": "ipython", // Llama 3's own name for tool results
}

// RoleOf returns the role for a speaker's name in a data set or a request.
func RoleOf(speaker string) (role string, known bool) {
	role, known = roles[speaker]
	return role, known
}
