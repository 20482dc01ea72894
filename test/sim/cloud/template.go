package cloud

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
)

// errSection says that an update holds a section: the templates here have
// simple attributes only.
var errSection = errors.New("the simulated cloud stores no sections")

// parseTemplate reads an update: lines of NAME = value or NAME = "value" (with
// \" for a quote), or XML. Names become upper case, as oned stores them.
func parseTemplate(text string) (map[string]string, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "<") {
		return parseXMLTemplate(text)
	}
	t := map[string]string{}
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		if strings.HasPrefix(rest, "#") {
			_, rest, _ = strings.Cut(rest, "\n")
			continue
		}
		name, after, ok := strings.Cut(rest, "=")
		name = strings.TrimSpace(name)
		if !ok || name == "" || strings.ContainsAny(name, " \t\n\"") {
			return nil, fmt.Errorf("syntax error near %.20q", rest)
		}
		value, left, err := templateValue(strings.TrimLeft(after, " \t"))
		if err != nil {
			return nil, err
		}
		t[strings.ToUpper(name)] = value
		rest = left
	}
	return t, nil
}

// templateValue reads one value and gives what follows it.
func templateValue(text string) (value, rest string, err error) {
	if strings.HasPrefix(text, "[") {
		return "", "", errSection
	}
	if !strings.HasPrefix(text, `"`) {
		value, rest, _ = strings.Cut(text, "\n")
		return strings.TrimSpace(value), rest, nil
	}
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\'):
			i++
			b.WriteByte(text[i])
		case text[i] == '"':
			return b.String(), text[i+1:], nil
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", errors.New("syntax error: a quoted value does not end")
}

// parseXMLTemplate reads <TEMPLATE><NAME>value</NAME>...</TEMPLATE>.
func parseXMLTemplate(text string) (map[string]string, error) {
	d := xml.NewDecoder(strings.NewReader(text))
	if _, err := nextStart(d); err != nil {
		return nil, err
	}
	t := map[string]string{}
	for {
		tok, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch el := tok.(type) {
		case xml.EndElement:
			return t, nil
		case xml.StartElement:
			value, err := charData(d)
			if errors.Is(err, errNotCall) {
				return nil, errSection
			}
			if err != nil {
				return nil, err
			}
			t[strings.ToUpper(el.Name.Local)] = value
		}
	}
}
