package report_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// element is a start of an element with its text up to the next one.
type element struct {
	name string
	attr map[string]string
	text string
}

// elements parses a page; it has to be well-formed.
func elements(t *testing.T, text string) []element {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	d.Entity = xml.HTMLEntity // strict in everything else
	var all []element
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatalf("the page is not well-formed: %v", err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			e := element{name: x.Name.Local, attr: map[string]string{}}
			for _, a := range x.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			all = append(all, e)
		case xml.CharData:
			if len(all) > 0 {
				all[len(all)-1].text += string(x)
			}
		}
	}
}

// TestPagesNeedAndDoNothing: no scripts, nothing that is loaded, no links, and a policy that says so.
func TestPagesNeedAndDoNothing(t *testing.T) {
	allowed := map[string]bool{}
	for _, name := range strings.Fields("html head meta title style body main h1 h2 bdi span table caption thead tbody tr th td section ul li pre code svg desc g line text rect polygon p footer") {
		allowed[name] = true
	}
	for name, r := range cases() {
		t.Run(name, func(t *testing.T) {
			policy := false
			for _, e := range elements(t, page(t, r, later())) {
				if !allowed[e.name] {
					t.Errorf("the element %s is there: %v", e.name, e.attr)
				}
				for attr, value := range e.attr {
					if attr == "src" || attr == "href" || attr == "style" || strings.HasPrefix(attr, "on") {
						t.Errorf("%s has %s=%q", e.name, attr, value)
					}
				}
				if e.name == "style" && strings.ContainsAny(e.text, "@\\") {
					if rest := strings.NewReplacer("@media", "").Replace(e.text); strings.Contains(rest, "@") || strings.Contains(rest, "url") {
						t.Error("the style loads something")
					}
				}
				policy = policy || strings.HasPrefix(e.attr["content"], "default-src 'none'")
			}
			if !policy {
				t.Error("no policy forbids loading")
			}
		})
	}
}

func TestHostileTextsAreShownAndNotObeyed(t *testing.T) {
	text := page(t, hostile(), later())
	for _, bad := range []string{"<script", "<img", "\x1b", "\u202e", "\u200f", "\u2066", "\x00", "\xff", "\a", "{{.}}</", "ZgotmplZ"} {
		if strings.Contains(text, bad) && bad != "{{.}}</" {
			t.Errorf("%q is in the page", bad)
		}
	}
	for _, want := range []string{`&lt;script src=//x.example&gt;alert(1)`, `\x1b]0;x`, `\u202e`, `\xff`, "{{.}}"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	if len(text) > 100_000 {
		t.Errorf("texts of 100 kB made a page of %d bytes", len(text))
	}
	mustBePrintable(t, strings.ReplaceAll(text, "\n", " "))
}

// TestPageIsComplete: every event and every VM has its row, problems first.
func TestPageIsComplete(t *testing.T) {
	for name, r := range cases() {
		text := page(t, r, later())
		all := elements(t, text)
		rows := 0
		for _, e := range all {
			if e.name == "tr" {
				rows++
			}
		}
		if least := len(r.Events) + len(r.VMs); rows < least {
			t.Errorf("%s: %d rows for %d events and VMs", name, rows, least)
		}
	}
	text := page(t, incomplete(), later())
	last := 0
	for _, vm := range []string{"5", "6", "7", "8", "9", "50", "51", "1", "2", "40"} {
		at := strings.Index(text, `<td class="n">`+vm+`</td><td class="whole">`)
		if at <= last {
			t.Errorf("VM %s is not where it should be", vm)
		}
		last = at
	}
	for _, line := range commands(incomplete()) {
		if !strings.Contains(text, "<code>"+line+"</code>") {
			t.Errorf("the command %s is not in the page", line)
		}
	}
}

// TestDrawingSaysItInWords: for those who cannot see it, and problems differ in shape.
func TestDrawingSaysItInWords(t *testing.T) {
	ids := map[string]string{}
	shapes := map[string]int{}
	var labelled string
	for _, e := range elements(t, page(t, incomplete(), later())) {
		if id := e.attr["id"]; id != "" {
			ids[id] = e.text
		}
		if e.name == "svg" {
			labelled = e.attr["aria-labelledby"]
		}
		if e.name == "polygon" {
			shapes[e.attr["class"]] = len(strings.Fields(e.attr["points"]))
		}
	}
	for _, id := range strings.Fields(labelled) {
		if ids[id] == "" {
			t.Errorf("%s has no text", id)
		}
	}
	if labelled == "" || !strings.Contains(ids["drawing-description"], "act 4.0 s, 40 VMs") {
		t.Errorf("the description is %q", ids["drawing-description"])
	}
	if shapes["problem"] != 4 || shapes["warning"] != 3 {
		t.Errorf("corners of marks: %v", shapes)
	}
}
