package drill

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"
)

// flat lists the leaves of an element, for comparing.
func flat(e *element, path string, out *[]string) {
	if len(e.children) == 0 {
		*out = append(*out, path+e.name+"="+e.text)
	}
	for i := range e.children {
		flat(&e.children[i], path+e.name+"/", out)
	}
}

func TestScan(t *testing.T) {
	for document, want := range map[string]string{
		`<P><O><ID>1</ID></O></P>`:                                       "O/ID=1",
		`<?xml version="1.0"?>` + "\n<P>\n <O>\n <ID>1</ID>\n</O>\n</P>": "O/ID=1",
		`<P/>`:                              "",
		`<P></P>`:                           "",
		`<P><O/><O></O></P>`:                "O= O=",
		`<P><O><A/><B>x</B><C></C></O></P>`: "O/A= O/B=x O/C=",
		`<P><O><A><![CDATA[a<b>&amp;c]]></A></O></P>`:             "O/A=a<b>&amp;c",
		`<P><O><A>1 &lt; 2 &amp;&#65;&#x42;&nbsp;& ;</A></O></P>`: "O/A=1 < 2 &AB&nbsp;& ;",
		`<P><O><A><![CDATA[x]]>y]]></A></O></P>`:                  "O/A=xy]]>", // a value that holds "]]>"
		"<P><O><A>\xff\x01</A></O></P>":                           "O/A=\xff\x01",
		`<P><O><A>&#xD800;&#x110000;</A></O></P>`:                 "O/A=\uFFFD\uFFFD",
	} {
		var got []string
		err := eachObject(document, "P", "O", func(e *element) error {
			flat(e, "", &got)
			return nil
		})
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %q %v, want %q", document, got, err, want)
		}
	}
}

func TestDamaged(t *testing.T) {
	for _, document := range []string{
		``, `x`, `<Q></Q>`, `<P>`, `<P><O>`, `<P><O></O>`, `<P><X></X></P>`, `<P>text</P>`, `<P><O></P></O>`, `<P><O><A x="1"/></O></P>`,
		`<P><O><!-- c --></O></P>`, `<P><O><![CDATA[x</O></P>`, `<P><O></O></P><P></P>`, `<P><O></O></P>x`, `<P><O><?pi?></O></P>`,
		`<P><O>` + strings.Repeat("<A>", 100) + strings.Repeat("</A>", 100) + `</O></P>`,
	} {
		if err := eachObject(document, "P", "O", func(*element) error { return nil }); !errors.Is(err, errDamaged) {
			t.Errorf("%.60s: %v", document, err)
		}
	}
}

// TestForged: a value that breaks out of its section must not change what a VM needs.
func TestForged(t *testing.T) {
	good := `<ID>4</ID><NAME>a</NAME><STATE>3</STATE><LCM_STATE>3</LCM_STATE><TEMPLATE><CPU>1</CPU><MEMORY>64</MEMORY></TEMPLATE><USER_TEMPLATE/><HISTORY_RECORDS/>`
	for body, ok := range map[string]bool{
		good: true, good + `<ID>5</ID>`: false, good + `<TEMPLATE/>`: false, good + `<STATE>1</STATE>`: false, strings.Replace(good, "4", "x", 1): false,
	} {
		err := eachObject("<P><VM>"+body+"</VM></P>", "P", "VM", func(e *element) error {
			v, err := parseVM(e)
			if err == nil && (v.ID != 4 || v.CPUShare != 100 || v.MemoryKB != 65536) {
				t.Errorf("%+v", v)
			}
			return err
		})
		if (err == nil) != ok {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// FuzzScan: the scanner takes nothing that encoding/xml does not, sees the same in what both take, and ends.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{`<P><O><ID>1</ID><A><![CDATA[<x>]]>y</A><B/></O></P>`, `<P/>`, `<?xml version="1.0"?><P> <O>a&amp;b</O> </P>`, `<P><O><A>]]></A></O></P>`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		var got []string
		if eachObject(document, "P", "O", func(e *element) error {
			flat(e, "", &got)
			return nil
		}) != nil {
			return
		}
		var root struct {
			XMLName xml.Name
			O       []node
		}
		if strings.ContainsAny(document, "\r:") || xml.Unmarshal([]byte(document), &root) != nil {
			return // line ends and name spaces, which encoding/xml changes; what XML forbids
		}
		if len(root.O) == 0 != (len(got) == 0) {
			t.Errorf("%d objects, not %d", len(got), len(root.O))
		}
		var want []string
		for _, o := range root.O {
			o.flat("", &want)
		}
		bare := func(list []string) string { return strings.Join(strings.Fields(strings.Join(list, "\n")), "") }
		if bare(got) != bare(want) {
			t.Errorf("%q, not %q", got, want)
		}
	})
}

// node is an element as encoding/xml reads it.
type node struct {
	XMLName  xml.Name
	Text     string `xml:",chardata"`
	Children []node `xml:",any"`
}

func (n node) flat(path string, out *[]string) {
	if len(n.Children) == 0 {
		*out = append(*out, path+n.XMLName.Local+"="+n.Text)
	}
	for _, c := range n.Children {
		c.flat(path+n.XMLName.Local+"/", out)
	}
}
