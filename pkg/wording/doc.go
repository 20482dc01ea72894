// Package wording has every event of a recovery and every outcome of a VM: a Kind, which programs compare, with typed
// fields. The sentence for people is made from them here, last of all. Nothing outside this package compares or parses
// such a sentence.
package wording

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"one-ft/pkg/text"
)

// Kind is what an event or an outcome says. The values are stable: they stand in the journal, in reports and in logs.
type Kind string

// Level is how much an event matters. The values are stable: they stand in the journal.
type Level string

// The levels.
const (
	Info    Level = "info"
	Warning Level = "warning"
	Problem Level = "problem"
)

// Message is a kind with its fields: one value for each name in its sentence, in their order. The zero value says nothing.
type Message struct {
	Kind Kind
	Args []any
	// Lead are stable words before it, such as the action and the result of a VM; "" for none.
	Lead string
}

// Of makes a message.
func Of(kind Kind, args ...any) Message { return Message{Kind: kind, Args: args} }

// After is the message with stable words before it, such as "recreate: done".
func (m Message) After(lead string) Message {
	m.Lead = lead
	return m
}

// IsZero reports whether the message says nothing.
func (m Message) IsZero() bool { return m.Kind == "" && m.Lead == "" }

// Level is how much a message of this kind matters, unless it is the outcome of a VM, where its result tells.
func (m Message) Level() Level { return find(m.Kind).level }

// String is the sentence for people. It is printable if its fields are.
func (m Message) String() string {
	row := find(m.Kind)
	var b strings.Builder
	if b.WriteString(m.Lead); m.Lead != "" && m.Kind != "" {
		b.WriteString(": ")
	}
	names := row.names()
	for rest := row.sentence; ; {
		before, name, after := cutName(rest)
		if b.WriteString(before); name == "" {
			return b.String()
		}
		for i, n := range names {
			if n == name && i < len(m.Args) {
				b.WriteString(said(m.Args[i]))
			}
		}
		rest = after
	}
}

// Field is a field of a message with its value.
type Field struct{ Name, Value string }

// Fields are the fields, for the log. A value may have a method Plain that says what is stable of it; an error without one,
// which has its words from elsewhere, is none.
func (m Message) Fields() (all []Field) {
	for i, name := range find(m.Kind).names() {
		if i >= len(m.Args) {
			break
		}
		if value := plain(m.Args[i]); value != "" {
			all = append(all, Field{name, value})
		}
	}
	return all
}

// Plain is the message without its wording: its kind, and each field as name=value; a message in it stands in brackets.
func (m Message) Plain() string {
	parts := []string{string(m.Kind)}
	for _, f := range m.Fields() {
		if !strings.HasPrefix(f.Value, "[") && strings.ContainsAny(f.Value, ` "=`) {
			f.Value = fmt.Sprintf("%q", f.Value)
		}
		parts = append(parts, f.Name+"="+f.Value)
	}
	if m.Lead != "" {
		parts[0] = m.Lead + ": " + parts[0]
	}
	return strings.Join(parts, " ")
}

// Quote is what oned or its scheduler says behind something: ": " and its words, or nothing.
type Quote string

// Words are a sentence that was made before, such as the summary of an incident: it is no field.
type Words string

// List are messages of the same kind of thing, such as a count for each result.
type List []Message

// Resume is the number of an incident that can be resumed once somebody has made sure that the host is off; 0 for none.
type Resume int

// said is a value as it stands in a sentence.
func said(v any) string {
	switch v := v.(type) {
	case float64: // seconds
		return fmt.Sprintf("%.1f", v)
	case time.Time:
		return v.Format(time.TimeOnly)
	case Quote:
		if v == "" {
			return ""
		}
		return ": " + text.Printable(string(v))
	case Resume:
		if v <= 0 {
			return ""
		}
		return fmt.Sprintf(": oneft resume %d --confirm-off", int(v))
	case List:
		return v.join(Message.String)
	}
	return fmt.Sprint(v)
}

func (l List) join(form func(Message) string) string {
	parts := make([]string, len(l))
	for i, m := range l {
		parts[i] = form(m)
	}
	return strings.Join(parts, ", ")
}

// plain is a value as it stands in a field.
func plain(v any) string {
	switch v := v.(type) {
	case Message:
		return "[" + v.Plain() + "]"
	case List:
		return "[" + v.join(Message.Plain) + "]"
	case interface{ Plain() string }:
		return v.Plain()
	case error:
		var p interface{ Plain() string }
		if errors.As(v, &p) {
			return p.Plain()
		}
		return ""
	case Words:
		return ""
	case Quote:
		return text.Printable(string(v))
	case Resume:
		return fmt.Sprint(int(v))
	}
	return said(v)
}

// row is how a kind is worded: {name} stands for a field.
type row struct {
	kind     Kind
	level    Level
	sentence string
}

// names are the names of the fields, in the order in which the sentence has them first.
func (r row) names() (names []string) {
	for rest := r.sentence; ; {
		_, name, after := cutName(rest)
		if name == "" {
			return names
		}
		known := false
		for _, n := range names {
			known = known || n == name
		}
		if !known {
			names = append(names, name)
		}
		rest = after
	}
}

// cutName cuts a sentence around the first {name}; name is "" when there is none.
func cutName(s string) (before, name, after string) {
	before, rest, found := strings.Cut(s, "{")
	if !found {
		return s, "", ""
	}
	name, after, _ = strings.Cut(rest, "}")
	return before, name, after
}

// find is the row of a kind; an unknown one has no words.
func find(kind Kind) row {
	for _, r := range table() {
		if r.kind == kind {
			return r
		}
	}
	return row{kind: kind, level: Info}
}

func table() (all []row) {
	for _, part := range [][]row{hostRows(), vmRows(), decisionRows(), processRows(), isolationRows()} {
		all = append(all, part...)
	}
	return all
}
