package report

import "unicode/utf8"

// table is a part of a report in rows and columns.
type table struct {
	Title, Caption string
	Class          string
	Columns        []column
	Rows           []row
}

type column struct {
	Name string
	Kind columnKind
}

// columnKind is how the cells of a column are shown on the page.
type columnKind string

const (
	number columnKind = "n"      // right-aligned
	short  columnKind = "short"  // on one line unless it is long
	result columnKind = "result" // the same, with the color of the row
	prose  columnKind = "prose"
)

// row has a cell for each column. Its class is "", or a level, which has a color.
type row struct {
	Class string
	Cells []string
}

func (t *table) add(class string, cells ...string) { t.Rows = append(t.Rows, row{class, cells}) }

// class is the class of a cell with this text, and of the head of the column.
func (c column) class(cell string, head bool) string {
	// Room for every state of OpenNebula but the longest (PROLOG_MIGRATE_UNKNOWN_FAILURE), which may be broken.
	const maxWhole = 24
	whole := "whole"
	if utf8.RuneCountInString(cell) > maxWhole {
		whole = "broken"
	}
	switch {
	case c.Kind == number:
		return "n"
	case head:
		return ""
	case c.Kind == short:
		return whole
	case c.Kind == result:
		return "result " + whole
	}
	return ""
}
