package rule

import (
	"testing"
)

func TestGrade(t *testing.T) {
	lives := map[string]string{"answer": "Arlen", "accept": "Mira lives in Arlen.\nIn Arlen.", "max_words": "6"}
	sum := map[string]string{"answer": "25", "accept": "The sum is 25.", "max_words": "6"}
	french := map[string]string{"answer": "l'œuf", "accept": "In French, egg is l'œuf.", "max_words": "7"}
	tests := []struct {
		name     string
		meta     map[string]string
		response string
		want     Grade
		grade    int
	}{
		{"canonical", lives, "Mira lives in Arlen.", Grade{true, true, true, true}, 5},
		{"second accepted form", lives, "In Arlen.", Grade{true, true, true, true}, 5},
		{"spaces around", lives, " \n Mira lives in Arlen.\n", Grade{true, true, true, true}, 5},
		{"spaces within", lives, "Mira  lives in Arlen.", Grade{false, true, true, true}, 5},
		{"two accepted forms at once", lives, "Mira lives in Arlen.\nIn Arlen.", Grade{false, true, true, true}, 5},
		{"no full stop", lives, "Mira lives in Arlen", Grade{false, true, false, true}, 4},
		{"no capital", lives, "mira lives in Arlen.", Grade{false, true, false, true}, 4},
		{"other case of the answer", lives, "Mira lives in arlen.", Grade{false, true, true, true}, 5},
		{"wrong", lives, "Mira lives in Brask.", Grade{false, false, true, true}, 2},
		{"answer within a word", lives, "Mira lives in Arlens.", Grade{false, false, true, true}, 2},
		{"verbose", lives, "Well, I am quite sure that Mira lives in Arlen.", Grade{false, true, true, false}, 4},
		{"verbose, wrong and sloppy", lives, "well, I am quite sure that Mira lives in Brask", Grade{}, 0},
		{"empty", lives, "  ", Grade{}, 0},
		{"digits before the answer", sum, "The sum is 125.", Grade{false, false, true, true}, 2},
		{"digits after the answer", sum, "The sum is 250.", Grade{false, false, true, true}, 2},
		{"first occurrence within a number", sum, "Not 125 but 25.", Grade{false, true, true, true}, 5},
		{"letters beyond ASCII", french, "In French, egg is l'œuf.", Grade{true, true, true, true}, 5},
		{"letters beyond ASCII beside the answer", french, "Él'œuf.", Grade{false, false, true, true}, 2},
		{"invalid UTF-8", sum, "\xff25\xff.", Grade{false, true, false, true}, 4},
		{"no columns", nil, "Mira lives in Arlen.", Grade{WellFormed: true}, 1},
		{"unreadable limit", map[string]string{"answer": "7", "accept": "7", "max_words": "many"}, "7", Grade{true, true, false, false}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := GradeOf(tt.meta, tt.response)
			if got != tt.want || got.Points() != tt.grade {
				t.Errorf("GradeOf(%q) = %+v, grade %d, want %+v, grade %d", tt.response, got, got.Points(), tt.want, tt.grade)
			}
		})
	}
}

func FuzzGrade(f *testing.F) {
	f.Add("25", "The sum is 25.", "6", " The sum is 25.\n")
	f.Add("", "\n\n", "-1", "\xff")
	f.Fuzz(func(t *testing.T, answer, accept, most, response string) {
		meta := map[string]string{"answer": answer, "accept": accept, "max_words": most}
		v := GradeOf(meta, response)
		if padded := GradeOf(meta, "\n "+response+"\t"); padded != v {
			t.Errorf("spaces around the response changed %+v to %+v", v, padded)
		}
	})
}
