package install

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"one-ft/pkg/one"
	"one-ft/pkg/onedconf"
)

// Pool is the hook pool of oned, 5.10 and later: a *one.Client.
type Pool interface {
	HookPool(ctx context.Context) (document string, err error)
	AllocateHook(ctx context.Context, template string) (id int, err error)
	UpdateHook(ctx context.Context, id int, template string) error // merges
	DeleteHook(ctx context.Context, id int) error
}

// PoolHook is a hook in the pool.
type PoolHook struct {
	ID         int
	Name, Type string            // Type is "state" or "api"
	Attributes map[string]string // the plain ones of its template, by name in capital letters
}

// marker is an attribute of ours in hooks: the name of the executable. By it a hook is found also after the directory
// has changed.
const marker = "FT_HOOK"

// ours reports whether one-ft made the hook, or an admin did as README says.
func (p PoolHook) ours(dir string) bool {
	command := p.Attributes["COMMAND"]
	return p.state() && (program(p.Attributes[marker]) != "" || program(command) != "" && path.Dir(strings.Fields(command)[0]) == dir)
}

func (p PoolHook) state() bool { return strings.EqualFold(p.Type, "state") }

// trigger is what the hook waits for; "" for hooks on API calls.
func (p PoolHook) trigger() string {
	if !p.state() {
		return ""
	}
	return trigger(p.Attributes["RESOURCE"], "", p.Attributes["STATE"], p.Attributes["LCM_STATE"])
}

// pairs are names with their values, in turn.
func pairs(words ...string) []onedconf.Pair {
	var all []onedconf.Pair
	for two := range slices.Chunk(words, 2) {
		all = append(all, onedconf.Pair{Name: two[0], Value: two[1]})
	}
	return all
}

// attributes are those of a hook as oned keeps them: ON has become states. Of ARGUMENTS_STDIN only "yes" works: the
// hook manager means to take "true" as well, and does not (as_stdin? in src/hem/onehem-server.rb, 5.10.0 to 7.4.0).
func (h Hook) attributes() []onedconf.Pair {
	words := []string{"RESOURCE", h.Resource, "REMOTE", "NO", "COMMAND", h.Command, "ARGUMENTS", h.Arguments}
	parts := strings.Split(h.trigger(), "/")
	words = append(words, "STATE", parts[1])
	if len(parts) > 2 {
		words = append(words, "LCM_STATE", parts[2])
	}
	words = append(words, "ARGUMENTS_STDIN", "yes", "TIMEOUT", fmt.Sprint(int64(h.Timeout.Seconds())), marker, program(h.Command))
	if h.Beside != "" {
		words = append(words, besideKey, h.Beside)
	}
	return pairs(words...)
}

// template is the text for one.hook.allocate.
func (h Hook) template() string {
	all := pairs("NAME", h.Name, "TYPE", "state")
	if h.Resource == "VM" {
		all = append(all, pairs("ON", h.On)...)
	}
	for _, p := range h.attributes() {
		if h.Resource == "HOST" || h.On == "CUSTOM" || p.Name != "STATE" && p.Name != "LCM_STATE" {
			all = append(all, p)
		}
	}
	return written(all)
}

// written are attributes as oned reads them. The values of a Hook need no escapes.
func written(all []onedconf.Pair) string {
	var b strings.Builder
	for _, p := range all {
		fmt.Fprintf(&b, "%-15s = \"%s\"\n", p.Name, p.Value)
	}
	return b.String()
}

// asWanted reports whether the hook in the pool is as it should be. Other attributes do not matter, nor does its
// name, which an update cannot change.
func (h Hook) asWanted(p PoolHook) bool {
	return !slices.ContainsFunc(h.attributes(), func(a onedconf.Pair) bool {
		switch found := p.Attributes[a.Name]; a.Name {
		case "REMOTE", "ARGUMENTS_STDIN", "RESOURCE": // oned and its hook manager do not care about case
			return !strings.EqualFold(found, a.Value)
		default:
			return found != a.Value
		}
	})
}

// ReadPool reads all hooks of the pool.
func ReadPool(ctx context.Context, pool Pool) ([]PoolHook, error) {
	document, err := pool.HookPool(ctx)
	if err != nil {
		return nil, err
	}
	return ParsePool(document)
}

// ParsePool reads what one.hookpool.info answers, or a HOOK of one.hook.info. Values of templates that are no plain
// text are left out. The error says what is wrong with it.
func ParsePool(document string) ([]PoolHook, error) {
	if len(document) > maxSize {
		return nil, fmt.Errorf("read the hook pool: %d bytes; more than %d are not read", len(document), maxSize)
	}
	root, err := one.Parse(document)
	if err != nil {
		return nil, fmt.Errorf("read the hook pool: %w", err)
	}
	elements := []*one.Element{root}
	if root.Name() == "HOOK_POOL" {
		elements = root.Children()
	}
	hooks := []PoolHook{}
	for _, e := range elements {
		if e.Name() != "HOOK" {
			return nil, fmt.Errorf("read the hook pool: %s where a hook belongs", quoted(e.Name()))
		}
		h := PoolHook{ID: int(e.Number("ID")), Name: e.Value("NAME"), Type: e.Value("TYPE"), Attributes: map[string]string{}}
		if err := e.Require("ID"); err != nil || h.ID < 0 {
			return nil, errors.New("read the hook pool: a hook without an ID")
		}
		for name, value := range e.Child("TEMPLATE").Attributes(nil) {
			h.Attributes[strings.ToUpper(name)] = value
		}
		hooks = append(hooks, h)
	}
	return hooks, nil
}
