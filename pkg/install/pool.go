package install

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"one-ft/pkg/onedconf"
)

// Pool is the hook pool of oned, 5.10 and later. The arguments of the calls are the same
// from 5.10 to 7.4, behind the session: one.hookpool.info(-2, -1, -1),
// one.hook.allocate(text), one.hook.update(id, text, 1) where 1 merges, one.hook.delete(id).
type Pool interface {
	// Hooks reads all hooks.
	Hooks(ctx context.Context) ([]PoolHook, error)
	// Allocate makes a hook and gives its ID.
	Allocate(ctx context.Context, template string) (int, error)
	// Update merges a template into that of a hook.
	Update(ctx context.Context, id int, template string) error
	// Delete removes a hook.
	Delete(ctx context.Context, id int) error
}

// PoolHook is a hook in the pool.
type PoolHook struct {
	ID         int
	Name, Type string            // Type is "state" or "api"
	Attributes map[string]string // the plain ones of its template, by name in capital letters
}

// marker is an attribute of ours in hooks: the name of the executable. By it a hook is
// found also after the directory has changed.
const marker = "FT_HOOK"

// ours reports whether one-ft made the hook, or an admin did as README says.
func (p PoolHook) ours(dir string) bool {
	return p.state() && (program(p.Attributes[marker]) != "" || under(p.Attributes["COMMAND"], dir))
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

// attributes are those of a hook as oned keeps them: ON has become states. Of ARGUMENTS_STDIN only "yes"
// works: the hook manager means to take "true" as well, and does not (as_stdin? in
// src/hem/onehem-server.rb, 5.10.0 to 7.4.0).
func (h Hook) attributes() []onedconf.Pair {
	words := []string{"RESOURCE", h.Resource, "REMOTE", "NO", "COMMAND", h.Command, "ARGUMENTS", h.Arguments}
	parts := strings.Split(h.trigger(), "/")
	words = append(words, "STATE", parts[1])
	if len(parts) > 2 {
		words = append(words, "LCM_STATE", parts[2])
	}
	words = append(words, "ARGUMENTS_STDIN", "yes", "TIMEOUT", fmt.Sprint(int64(h.Timeout.Seconds())), marker, program(h.Command))
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

// asWanted reports whether the hook in the pool is as it should be. Other attributes do
// not matter, nor does its name, which an update cannot change.
func (h Hook) asWanted(p PoolHook) bool {
	for _, a := range h.attributes() {
		found := p.Attributes[a.Name]
		if a.Name == "REMOTE" || a.Name == "ARGUMENTS_STDIN" || a.Name == "RESOURCE" {
			found = strings.ToLower(found) // oned and its hook manager do not care
			a.Value = strings.ToLower(a.Value)
		}
		if found != a.Value {
			return false
		}
	}
	return true
}

// ParsePool reads what one.hookpool.info answers, or a HOOK of one.hook.info. Values of
// templates that are no plain text are left out. The error says what is wrong with it.
func ParsePool(document []byte) ([]PoolHook, error) {
	if len(document) > maxSize {
		return nil, fmt.Errorf("read the hook pool: %d bytes; more than %d are not read", len(document), maxSize)
	}
	dec := xml.NewDecoder(bytes.NewReader(legible(document)))
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	hooks := []PoolHook{}
	for depth, opened := 0, false; ; {
		tok, err := dec.Token()
		switch {
		case errors.Is(err, io.EOF) && opened:
			return hooks, nil
		case err != nil:
			return nil, fmt.Errorf("read the hook pool: %s", short(err.Error()))
		}
		switch t := tok.(type) {
		case xml.StartElement:
			opened = true
			switch {
			case t.Name.Local == "HOOK" && depth <= 1:
				h, err := readHook(dec, t)
				if err != nil {
					return nil, err
				}
				hooks = append(hooks, h)
			case t.Name.Local == "HOOK_POOL" && depth == 0:
				depth++
			default:
				return nil, fmt.Errorf("read the hook pool: %s where a hook belongs", quoted(t.Name.Local))
			}
		case xml.EndElement:
			depth--
		}
	}
}

// readHook reads one hook.
func readHook(dec *xml.Decoder, start xml.StartElement) (PoolHook, error) {
	var x struct {
		ID       *int   `xml:"ID"`
		Name     string `xml:"NAME"`
		Type     string `xml:"TYPE"`
		Template struct {
			Attributes []struct {
				XMLName  xml.Name
				Text     string     `xml:",chardata"`
				Children []struct{} `xml:",any"`
			} `xml:",any"`
		} `xml:"TEMPLATE"`
	}
	if err := dec.DecodeElement(&x, &start); err != nil {
		return PoolHook{}, fmt.Errorf("read a hook of the hook pool: %s", short(err.Error()))
	}
	if x.ID == nil || *x.ID < 0 {
		return PoolHook{}, errors.New("read the hook pool: a hook without an ID")
	}
	h := PoolHook{ID: *x.ID, Name: x.Name, Type: x.Type, Attributes: map[string]string{}}
	for _, a := range x.Template.Attributes {
		name := strings.ToUpper(a.XMLName.Local)
		if _, twice := h.Attributes[name]; !twice && len(a.Children) == 0 {
			h.Attributes[name] = a.Text
		}
	}
	return h, nil
}

// legible replaces what XML forbids: bytes that are not UTF-8, and control characters.
func legible(document []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r < 0x20 && !slices.Contains([]rune("\t\r\n"), r) || r == 0xFFFE || r == 0xFFFF {
			return utf8.RuneError
		}
		return r
	}, document)
}
