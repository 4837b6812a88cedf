package chat

// The roles that herd speaks of itself. Templates may know others.
const (
	System    = "system"
	User      = "user"
	Assistant = "assistant" // the model's own turns
	Tool      = "tool"      // the result of a call that the assistant made
)

// roles maps the names that data sets and APIs give to speakers to the names that
// templates know. A function call is something that the assistant says (it is
// trained on); its result is something that it is told.
var roles = map[string]string{
	"system": System, "developer": System, // OpenAI's later name
	"user": User, "human": User, "prompter": User,
	"assistant": Assistant, "gpt": Assistant, "chatgpt": Assistant, "bot": Assistant, "model": Assistant,
	"function_call": Assistant,
	"tool":          Tool, "observation": Tool, "function": Tool, "function_response": Tool,
	"ipython": "ipython", // Llama 3's own name for tool results
}

// RoleOf returns the role that a speaker's name in a data set or a request stands for.
func RoleOf(speaker string) (role string, known bool) {
	role, known = roles[speaker]
	return role, known
}
