package install

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
)

// Verb is what is done with a hook of the pool.
type Verb string

// The verbs of changes. Plan puts Delete first, because the hook manager up to 5.10.4 forgets all hooks for a state
// with one of them, and learns of one again when it is made or updated.
const (
	Delete Verb = "delete"
	Update Verb = "update"
	Create Verb = "create"
)

// Change is one step of Plan.
type Change struct {
	Verb Verb
	// ID and Name are of the hook in the pool; -1 and the new name with Create.
	ID   int
	Name string
	// Template is what to give to oned with Create and Update.
	Template string
	// Before and After are the hook's attributes as lines, for Diff; "" where it does not exist.
	Before, After string
}

// String is one printable line.
func (c Change) String() string {
	if c.Verb == Create {
		return fmt.Sprintf("create hook %s", short(c.Name))
	}
	return fmt.Sprintf("%s hook %d (%s)", c.Verb, c.ID, short(c.Name))
}

// Plan gives the steps that make the hooks of one-ft in the pool those that are wanted. Ours are those with our mark,
// and those that run one of our executables in facts.Dir. The error is a *ConflictError.
func Plan(existing []PoolHook, wanted []Hook, facts Facts) ([]Change, error) {
	all := PoolHooks(existing, facts)
	if err := facts.missing(all); err != nil {
		return nil, err
	}
	if others := facts.conflicts(all, wanted); len(others) > 0 {
		return nil, &ConflictError{Others: others}
	}
	wanted = beside(wanted, all)
	existing = slices.SortedFunc(slices.Values(existing), func(a, b PoolHook) int { return cmp.Compare(a.ID, b.ID) })
	var changes []Change
	forgotten, stays := map[string]bool{}, map[string]PoolHook{}
	for _, p := range existing {
		if !p.ours(facts.Dir) {
			continue
		}
		t := p.trigger()
		if _, twice := stays[t]; !twice && slices.ContainsFunc(wanted, func(h Hook) bool { return h.trigger() == t }) {
			stays[t] = p
			continue
		}
		forgotten[t] = true
		changes = append(changes, Change{Verb: Delete, ID: p.ID, Name: p.Name, Before: p.shown()})
	}
	for _, h := range wanted {
		p, found := stays[h.trigger()]
		switch {
		case !found:
			changes = append(changes, Change{Verb: Create, ID: -1, Name: h.Name, Template: h.template(), After: h.template()})
		case !h.asWanted(p) || forgotten[h.trigger()]:
			changes = append(changes, Change{Verb: Update, ID: p.ID, Name: p.Name, Template: written(h.attributes()),
				Before: p.shown(), After: p.with(h).shown()})
		}
	}
	return changes, nil
}

// with is the hook after an update.
func (p PoolHook) with(h Hook) PoolHook {
	p.Attributes = maps.Clone(p.Attributes)
	for _, a := range h.attributes() {
		p.Attributes[a.Name] = a.Value
	}
	return p
}

// shown are the attributes of a hook, one on a line, by name.
func (p PoolHook) shown() string {
	words := []string{"NAME", p.Name, "TYPE", p.Type}
	for _, name := range slices.Sorted(maps.Keys(p.Attributes)) {
		words = append(words, short(name), short(p.Attributes[name]))
	}
	return written(pairs(words...))
}

// DiffPool shows a plan: a line for each step, and below it what changes in the hook.
func DiffPool(changes []Change) string {
	var b strings.Builder
	for _, c := range changes {
		b.WriteString(c.String() + "\n" + Diff([]byte(c.Before), []byte(c.After)))
	}
	return b.String()
}

// Apply carries a plan out and reads the pool again: it must be as wanted then. The first error stops it, and names
// the step and those that were done; another plan resumes there.
func Apply(ctx context.Context, pool Pool, changes []Change, wanted []Hook, facts Facts) error {
	var done []string
	for _, c := range changes {
		var err error
		switch c.Verb {
		case Create:
			_, err = pool.AllocateHook(ctx, c.Template)
		case Update:
			err = pool.UpdateHook(ctx, c.ID, c.Template)
		case Delete:
			err = pool.DeleteHook(ctx, c.ID)
		}
		if err != nil {
			already := "nothing was changed before that"
			if len(done) > 0 {
				already = "done before that: " + strings.Join(done, ", ")
			}
			return fmt.Errorf("%s: %w; %s; run this again to go on", c, err, already)
		}
		done = append(done, c.String())
	}
	if len(done) == 0 {
		return nil
	}
	now, err := ReadPool(ctx, pool)
	if err != nil {
		return fmt.Errorf("read the hooks again: %w", err)
	}
	left, err := Plan(now, wanted, facts)
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return errors.New("oned took all changes, but its hooks are not as wanted; see oneft hooks show")
	}
	return nil
}

// Diff shows how two texts differ, as diff -u does, without names of files. Lines are made printable; a tab, and the
// CR of a CRLF, are no news to the reader. "" when the texts are equal.
func Diff(old, fresh []byte) string {
	_, hunks, _ := strings.Cut(string(diff.Diff("old", old, "fresh", fresh)), "+++ fresh\n")
	var out strings.Builder
	for line := range strings.Lines(hunks) {
		parts := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		for i, p := range parts {
			parts[i] = short(p)
		}
		out.WriteString(strings.Join(parts, "\t") + "\n")
	}
	return out.String()
}
