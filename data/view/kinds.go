package view

import "github.com/herd-lm/herd/data/table"

// kindView shows and counts a kind of row, except the columns that rows of every kind have.
type kindView struct {
	show  func(page, table.Record)
	count func(*tally, table.Record)
}

// views has an entry for each kind of table.
var views = map[table.Kind]kindView{
	table.Documents:   viewOf(page.document, (*tally).document),
	table.Chats:       viewOf(page.chat, (*tally).chat),
	table.Preferences: viewOf(page.preference, (*tally).preference),
	table.Samples:     viewOf(page.sample, (*tally).sample),
	table.Unpaired:    viewOf(page.unpaired, (*tally).unpaired),
}

func viewOf[T table.Row](show func(page, *T), count func(*tally, *T)) kindView {
	row := func(r table.Record) *T { return any(r).(*T) }
	return kindView{
		show:  func(p page, r table.Record) { show(p, row(r)) },
		count: func(t *tally, r table.Record) { count(t, row(r)) },
	}
}
