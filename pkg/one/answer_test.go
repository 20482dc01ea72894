package one

import (
	"errors"
	"strings"
	"testing"
)

// TestBadAnswers: whatever is no XML-RPC answer is an *AnswerError that shows how it began.
func TestBadAnswers(t *testing.T) {
	whole := accepted("<VM_POOL></VM_POOL>")
	const html = "<!DOCTYPE html><html><head><title>Error\x1b[2J</title></head></html>"
	for name, c := range map[string]struct {
		status    int
		body      string
		temporary bool
	}{
		"404": {404, html, false}, "405": {405, html, false}, "400": {400, "", false}, "401": {401, html, false}, "407": {407, "", false},
		"302": {302, html, false}, "429": {429, "", true}, "500": {500, html, true}, "502": {502, html, true}, "503": {503, "", true}, "504": {504, whole, true},
		"empty": {200, "", true}, "blank": {200, " \r\n", true}, "HTML": {200, html, true}, "text": {200, "hello", true}, "JSON": {200, `{"a":1}`, true},
		"half":              {200, whole[:len(whole)/2], true},
		"without its end":   {200, strings.TrimSuffix(whole, "</methodResponse>"), true},
		"no elements":       {200, elements(), true},
		"one element":       {200, elements("<boolean>1</boolean>"), true},
		"two elements":      {200, elements("<boolean>1</boolean>", "<string>x</string>"), true},
		"refusal, no code":  {200, elements("<boolean>0</boolean>", "<string>x</string>"), true},
		"refusal, bad code": {200, elements("<boolean>0</boolean>", "<string>x</string>", "<string>y</string>"), true},
		"no boolean":        {200, elements("<string>true</string>", "<string>x</string>", "<i4>0</i4>"), true},
		"no array":          {200, "<methodResponse><params><param><value><string>x</string></value></param></params></methodResponse>", true},
		"no value":          {200, "<methodResponse></methodResponse>", true},
		"empty value": {200, `<methodResponse><params><param><value><array><data><value><boolean>1</boolean></value><value/>` +
			`<value><i4>0</i4></value></data></array></value></param></params></methodResponse>`, true},
		"fault without code": {200, "<methodResponse><fault><value><string>x</string></value></fault></methodResponse>", true},
		"fault of nothing":   {200, "<methodResponse><fault><value/></fault></methodResponse>", true},
		"number too big":     {200, elements("<boolean>0</boolean>", "<string>x</string>", "<i4>99999999999999999999</i4>"), true},
		"nested": {200, "<methodResponse><params><param>" + strings.Repeat("<value><array><data>", 100000) + strings.Repeat("</data></array></value>", 100000) +
			"</param></params></methodResponse>", true},
	} {
		value, err := client(t, "", always(c.status, c.body)).call(ctx(t), false, "one.vm.info")
		if err == nil {
			t.Errorf("%s: %v", name, value)
			continue
		}
		e := answerError(t, err)
		if e.Status != c.status || e.Method != "one.vm.info" || Temporary(err) != c.temporary || unsent(err) {
			t.Errorf("%s: %v, temporary %v", name, err, Temporary(err))
		}
		if name == "nested" && !strings.Contains(err.Error(), "nested deeper") {
			t.Errorf("%s: %v", name, err)
		}
		if c.body == html && !strings.Contains(err.Error(), "DOCTYPE html") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGoodAnswers: what is unusual and still an answer.
func TestGoodAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want any
	}{
		"text":         {accepted("a<b&c"), "a<b&c"},
		"CDATA":        {elements("<boolean>1</boolean>", "<string>x<![CDATA[<y>]]>z</string>", "<i4>0</i4>"), "x<y>z"},
		"controls":     {elements("<boolean>1</boolean>", "<string>x\x01\xff&#0;&nbsp;</string>", "<i4>0</i4>"), "x\uFFFD\uFFFD\uFFFD&nbsp;"},
		"line ends":    {elements("<boolean>1</boolean>", "<string>a&#13;b\r\nc]]>&lt;</string>", "<i4>0</i4>"), "a\rb\nc]]><"},
		"empty string": {elements("<boolean>1</boolean>", "<string></string>", "<i4>0</i4>"), ""},
		"number":       {elements("<boolean>1</boolean>", "<i8>7</i8>", "<i8>0</i8>"), int64(7)},
		"more behind":  {elements("<boolean>1</boolean>", "<boolean>1</boolean>", "<i4>0</i4>", "<i4>-1</i4>", "<i8>3</i8>"), true},
	} {
		if got, err := client(t, "", always(200, c.body)).call(ctx(t), false, "one.x"); err != nil || got != c.want {
			t.Errorf("%s: %#v, %v", name, got, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	refusal := func(values ...string) *CallError {
		t.Helper()
		_, err := client(t, "", always(200, elements(append([]string{"<boolean>0</boolean>"}, values...)...))).call(ctx(t), false, "one.x")
		var e *CallError
		if !errors.As(failed(t, err), &e) {
			t.Fatal(err)
		}
		return e
	}
	if e := refusal("<string></string>", "<i4>2048</i4>"); e.Text != "[one.x] refused without a reason" || !errors.Is(e, ErrWrongState) {
		t.Errorf("%+v", e)
	}
	if e := refusal("<string>VM \x1b[2J\n</string>", "<i4>2048</i4>", "<i4>42</i4>", "<i8>-1</i8>"); e.Text != "VM \uFFFD[2J\\n" {
		t.Errorf("%+v", e)
	}
	if e := refusal("<string>x</string>", "<i4>77</i4>"); e.Unwrap() != nil || Temporary(e) {
		t.Errorf("%+v", e)
	}
	_, err := client(t, "", always(200, "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>-504</int></value></member>"+
		"<member><name>faultString</name><value><string></string></value></member></struct></value></fault></methodResponse>")).call(ctx(t), false, "one.x")
	var fault *FaultError
	if !errors.As(failed(t, err), &fault) || fault.Code != -504 || !Temporary(err) || errors.Is(err, ErrUnsupported) {
		t.Error(err)
	}
}
