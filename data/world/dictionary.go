package world

// word is an entry of the dictionary: English, French, German, Spanish. No two entries share a
// foreign word in any language: otherwise one would give the other away.
type word struct {
	english string
	foreign [3]string
}

// noun is a dictionary entry that has a colour and can be counted. Its French and Spanish
// genders choose the article and the form of the adjective. The German article is part of the
// entry.
type noun struct {
	word
	plurals [3]string
	article [3]string
}

// language is one of the world's languages besides English. Its index selects from the tables
// below.
type language struct {
	name, code string
	index      int
	have       string // "I have N things", with {N} and {A}
	is         string // "The thing is red.", with {T} (the article), {A} and {C}
}

var languages = []language{
	{"French", "fr", 0, "J'ai {N} {A}", "{T} {A} est {C}."},
	{"German", "de", 1, "Ich habe {N} {A}", "{T} {A} ist {C}."},
	{"Spanish", "es", 2, "Tengo {N} {A}", "{T} {A} es {C}."},
}

var numberWords = []word{
	{"two", [3]string{"deux", "zwei", "dos"}},
	{"three", [3]string{"trois", "drei", "tres"}},
	{"four", [3]string{"quatre", "vier", "cuatro"}},
	{"five", [3]string{"cinq", "fünf", "cinco"}},
	{"six", [3]string{"six", "sechs", "seis"}},
	{"seven", [3]string{"sept", "sieben", "siete"}},
	{"eight", [3]string{"huit", "acht", "ocho"}},
	{"nine", [3]string{"neuf", "neun", "nueve"}},
	{"ten", [3]string{"dix", "zehn", "diez"}},
}

var colourWords = []word{
	{"red", [3]string{"rouge", "rot", "rojo"}},
	{"blue", [3]string{"bleu", "blau", "azul"}},
	{"green", [3]string{"vert", "grün", "verde"}},
	{"yellow", [3]string{"jaune", "gelb", "amarillo"}},
	{"black", [3]string{"noir", "schwarz", "negro"}},
	{"white", [3]string{"blanc", "weiß", "blanco"}},
	{"brown", [3]string{"brun", "braun", "marrón"}},
	{"pink", [3]string{"rose", "rosa", "rosado"}},
}

// feminine has the feminine forms of the colours, in the order of colourWords.
var feminine = [][3]string{
	{"rouge", "rot", "roja"}, {"bleue", "blau", "azul"}, {"verte", "grün", "verde"}, {"jaune", "gelb", "amarilla"},
	{"noire", "schwarz", "negra"}, {"blanche", "weiß", "blanca"}, {"brune", "braun", "marrón"}, {"rose", "rosa", "rosada"},
}

var foodWords = []word{
	{"bread", [3]string{"pain", "Brot", "pan"}},
	{"cheese", [3]string{"fromage", "Käse", "queso"}},
	{"milk", [3]string{"lait", "Milch", "leche"}},
	{"soup", [3]string{"soupe", "Suppe", "sopa"}},
	{"apple", [3]string{"pomme", "Apfel", "manzana"}},
	{"rice", [3]string{"riz", "Reis", "arroz"}},
	{"egg", [3]string{"œuf", "Ei", "huevo"}},
	{"water", [3]string{"eau", "Wasser", "agua"}},
}

var animalWords = []noun{
	{word{"goat", [3]string{"chèvre", "Ziege", "cabra"}}, [3]string{"chèvres", "Ziegen", "cabras"}, [3]string{"La", "Die", "La"}},
	{word{"sheep", [3]string{"mouton", "Schaf", "oveja"}}, [3]string{"moutons", "Schafe", "ovejas"}, [3]string{"Le", "Das", "La"}},
	{word{"cow", [3]string{"vache", "Kuh", "vaca"}}, [3]string{"vaches", "Kühe", "vacas"}, [3]string{"La", "Die", "La"}},
	{word{"horse", [3]string{"cheval", "Pferd", "caballo"}}, [3]string{"chevaux", "Pferde", "caballos"}, [3]string{"Le", "Das", "El"}},
	{word{"pig", [3]string{"cochon", "Schwein", "cerdo"}}, [3]string{"cochons", "Schweine", "cerdos"}, [3]string{"Le", "Das", "El"}},
	{word{"dog", [3]string{"chien", "Hund", "perro"}}, [3]string{"chiens", "Hunde", "perros"}, [3]string{"Le", "Der", "El"}},
	{word{"cat", [3]string{"chat", "Katze", "gato"}}, [3]string{"chats", "Katzen", "gatos"}, [3]string{"Le", "Die", "El"}},
	{word{"hen", [3]string{"poule", "Henne", "gallina"}}, [3]string{"poules", "Hennen", "gallinas"}, [3]string{"La", "Die", "La"}},
	{word{"duck", [3]string{"canard", "Ente", "pato"}}, [3]string{"canards", "Enten", "patos"}, [3]string{"Le", "Die", "El"}},
	{word{"rabbit", [3]string{"lapin", "Hase", "conejo"}}, [3]string{"lapins", "Hasen", "conejos"}, [3]string{"Le", "Der", "El"}},
}
