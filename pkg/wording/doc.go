// Package wording has every event of a recovery and every outcome of a VM: a Kind, which programs compare, with typed
// fields. The sentence for people is made from them here, last of all. Nothing outside this package compares or parses
// such a sentence.
package wording

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/text"
)

// Kind is what an event or an outcome says, such as "held warning: holding: {failed} hosts failed": its name, its level if
// that is not info, and its sentence, in which {name} stands for a field.
type Kind string

// Name is the name of a kind. The values are stable: they stand in the journal, in reports and in logs.
type Name string

// Is reports whether it names one of these kinds.
func (n Name) Is(kinds ...Kind) bool {
	return slices.ContainsFunc(kinds, func(k Kind) bool { return k.Name() == n })
}

// Name is what programs know the kind by.
func (k Kind) Name() Name {
	name, _, _ := k.parts()
	return name
}

func (k Kind) parts() (name Name, level Level, sentence string) {
	head, sentence, _ := strings.Cut(string(k), ": ")
	word, mark, _ := strings.Cut(head, " ")
	return Name(word), cmp.Or(Level(mark), Info), sentence
}

// fields are the names of the fields, in the order in which the sentence has them first.
func (k Kind) fields() (names []string) {
	_, _, sentence := k.parts()
	for _, part := range strings.Split(sentence, "{")[1:] {
		if name, _, _ := strings.Cut(part, "}"); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

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
func (m Message) Level() Level {
	_, level, _ := m.Kind.parts()
	return level
}

// String is the sentence for people. It is printable if its fields are.
func (m Message) String() string {
	_, _, sentence := m.Kind.parts()
	if m.Lead != "" && m.Kind != "" {
		sentence = ": " + sentence
	}
	names, words := m.Kind.fields(), strings.Split(sentence, "{")
	said := make([]string, len(names))
	for i := range min(len(said), len(m.Args)) {
		said[i] = inWords(m.Args[i])
	}
	all := m.lead() + words[0]
	for _, part := range words[1:] {
		name, rest, _ := strings.Cut(part, "}")
		all += said[slices.Index(names, name)] + rest
	}
	return all
}

// lead is what stands before the sentence for people: of a VM that is left the action says the same as the result.
func (m Message) lead() string {
	if m.Lead == "leave: left" {
		return "left"
	}
	return m.Lead
}

// NamesObject reports whether the sentence begins with the host or VM that it is about.
func (m Message) NamesObject() bool {
	return m.Lead == "" && (m.Kind == Busy || m.Kind == AlreadyHandled)
}

// Field is a field of a message with its value.
type Field struct{ Name, Value string }

// Fields are the fields, for the log. A value may have a method Plain that says what is stable of it; an error without one,
// which has its words from elsewhere, is none.
func (m Message) Fields() (all []Field) {
	for i, name := range m.Kind.fields() {
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
	parts := []string{string(m.Kind.Name())}
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

// AlsoFailed are hosts that count as failed although oned does not call them so; none says nothing. Silent are MONITORED and do not
// answer, Quarantined are DISABLED because they failed before and nothing was heard of them since.
type AlsoFailed struct{ Silent, Quarantined int }

func (c AlsoFailed) String() string {
	var parts []string
	if c.Silent > 0 {
		parts = append(parts, fmt.Sprintf("%d of them silent, and still MONITORED", c.Silent))
	}
	if c.Quarantined > 0 {
		parts = append(parts, fmt.Sprintf("%d of them in quarantine since an earlier failure", c.Quarantined))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

// inWords is a value as it stands in a sentence.
func inWords(v any) string {
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
	case AlsoFailed:
		if v.Silent <= 0 {
			return ""
		}
		return fmt.Sprint(v.Silent)
	case Resume:
		return fmt.Sprint(int(v))
	}
	return inWords(v)
}

// Wait is what a VM waits for in a state on its way from the failed host to where it runs again. The values are stable:
// they stand in the journal.
type Wait string

// What is waited for.
const (
	WaitNothing   Wait = ""          // it has arrived, or is only passed through
	WaitCleanup   Wait = "clean-up"  // oned cleans up on the failed host
	WaitScheduler Wait = "scheduler" // which has not said anything since
	WaitRoom      Wait = "room"      // the scheduler says that no host has room
	WaitDisks     Wait = "disks"     // they are copied or made
	WaitBoot      Wait = "boot"
	WaitOwner     Wait = "owner" // it was put on hold
)
