package world

// The world's vocabulary is small on purpose: a model of two million parameters then reads
// every word often enough to know it. No noun begins with a vowel where a sentence puts "a"
// before it.

var women = []string{
	"Anna", "Bella", "Clara", "Dora", "Emma", "Freya", "Greta", "Hanna", "Ida", "Julia", "Karin", "Lena",
	"Mira", "Nora", "Olga", "Petra", "Rosa", "Sara", "Tilda", "Ulla", "Vera", "Wanda", "Yara", "Zoe",
}

var men = []string{
	"Adam", "Bruno", "Carl", "David", "Emil", "Felix", "Georg", "Hugo", "Ivan", "Jakob", "Karl", "Leo",
	"Max", "Noah", "Oscar", "Paul", "Ralf", "Simon", "Tom", "Urban", "Victor", "Walter", "Yusuf", "Zeno",
}

var townNames = []string{
	"Arlen", "Brask", "Corvel", "Dunmar", "Elmsby", "Fennock", "Gildon", "Harth",
	"Istrel", "Jorling", "Kelden", "Lomby", "Marvik", "Norrel", "Oldane", "Pellow",
}

var landscapes = []string{
	"by the sea", "on a lake", "in the hills", "in a forest", "on a river", "in a valley", "on the plain", "near the desert",
}

var sights = []string{
	"bridge", "clock", "market", "tower", "garden", "library", "mill", "harbour",
	"castle", "fountain", "school", "theatre", "church", "museum", "park", "lighthouse",
}

var jobs = []string{
	"baker", "teacher", "doctor", "farmer", "painter", "miller", "tailor", "sailor",
	"singer", "writer", "gardener", "builder", "cook", "judge", "nurse", "pilot",
}

var pets = []string{"goats", "sheep", "cows", "horses", "pigs", "dogs", "cats", "hens"}

var foods = []string{
	"soup", "bread", "cheese", "rice", "honey", "cake", "fish", "pasta", "salad", "beans", "nuts", "plums",
}

var colours = []string{"red", "blue", "green", "yellow", "black", "white", "brown", "grey"}

// numerals are the words for 2 to 4, the numbers of animals that people keep.
var numerals = []string{"two", "three", "four"}

// goods are the things that word problems count.
var goods = []string{"apples", "books", "coins", "eggs", "pens", "cups", "stones", "cards", "balls", "boxes"}

// animal holds the facts about a kind of animal.
type animal struct{ name, plural, young, home, food string }

var animals = []animal{
	{"goat", "goats", "kid", "shed", "leaves"},
	{"sheep", "sheep", "lamb", "fold", "grass"},
	{"cow", "cows", "calf", "barn", "clover"},
	{"horse", "horses", "foal", "stable", "hay"},
	{"pig", "pigs", "piglet", "sty", "turnips"},
	{"dog", "dogs", "puppy", "kennel", "meat"},
	{"cat", "cats", "kitten", "basket", "mice"},
	{"hen", "hens", "chick", "coop", "corn"},
	{"duck", "ducks", "duckling", "reed bed", "snails"},
	{"rabbit", "rabbits", "bunny", "hutch", "carrots"},
	{"fox", "foxes", "fox cub", "den", "rabbits"},
	{"mouse", "mice", "pup", "hole", "cheese"},
	{"bear", "bears", "bear cub", "cave", "honey"},
	{"deer", "deer", "fawn", "thicket", "bark"},
	{"swan", "swans", "cygnet", "nest", "water plants"},
	{"frog", "frogs", "tadpole", "pond", "flies"},
}
