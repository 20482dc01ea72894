package app

import (
	"context"
	"strconv"

	"one-ft/pkg/hook"
	"one-ft/pkg/text"
)

// mostObjects is how many IDs of objects with the same name a message lists.
const mostObjects = 10

// Resolve gives the ID of the only host or VM with a name. Errors, all of wrong usage but those of oned: no object has the
// name, or several have, whose IDs are listed.
func (s Session) Resolve(ctx context.Context, kind hook.Kind, name string) (int, error) {
	find, list := s.Client.HostsNamed, "onehost list shows the hosts"
	if kind == hook.VM {
		find, list = s.Client.VMsNamed, "onevm list shows the VMs"
	}
	ids, err := find(ctx, name)
	switch {
	case err != nil:
		return 0, err
	case len(ids) == 0:
		return 0, Usagef("oned knows no %s called %s; %s", kind, shown(name), list)
	case len(ids) > 1:
		var words []string
		for _, id := range ids {
			words = append(words, strconv.Itoa(id))
		}
		return 0, Usagef("%s are called %s: %s; give the ID of one", text.Plural(len(ids), string(kind)), shown(name), text.Some(words, mostObjects))
	}
	return ids[0], nil
}

// Object reads what an operator calls a host or VM by: its ID, or its name.
type Object struct {
	kind hook.Kind
	id   int
	name string // "" when the ID was given
}

// ObjectOf reads the only word of a command. All digits are always an ID; the error of anything that is neither ID nor name is
// one of wrong usage. A command that oned calls as a hook takes no names: it is no command of this kind.
func ObjectOf(kind hook.Kind, word string) (Object, error) {
	event, _, err := hook.Parse(kind, []string{word})
	if name, _, ok := hook.Name(kind, []string{word}); err != nil && ok {
		return Object{kind: kind, name: name}, nil
	}
	return Object{kind: kind, id: event.ID}, err
}

// ID asks oned for the ID where the name was given.
func (o Object) ID(ctx context.Context, s Session) (int, error) {
	if o.name == "" {
		return o.id, nil
	}
	return s.Resolve(ctx, o.kind, o.name)
}
