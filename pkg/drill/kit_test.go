package drill

import (
	"html"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"one-ft/pkg/one"
)

// oned answers calls with the text of a document; an error is a refusal.
type oned func(method string, args []any) (string, error)

// RoundTrip is http.RoundTripper.
func (o oned) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	call, err := one.Parse(string(body))
	if err != nil {
		return nil, err
	}
	var args []any
	for _, p := range call.Child("params").All("param")[1:] {
		switch v := p.Child("value").Children()[0]; v.Name() {
		case "int":
			n, _ := strconv.Atoi(v.Text())
			args = append(args, n)
		case "boolean":
			args = append(args, v.Text() == "1")
		default:
			args = append(args, v.Text())
		}
	}
	ok := "1"
	value, err := o(call.Value("methodName"), args)
	if err != nil {
		ok, value = "0", err.Error()
	}
	answer := "<methodResponse><params><param><value><array><data><value><boolean>" + ok + "</boolean></value><value><string>" +
		html.EscapeString(value) + "</string></value><value><i4>512</i4></value></data></array></value></param></params></methodResponse>"
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(answer)), Request: req}, nil
}

// client makes a client that talks to it as to a version.
func (o oned) client(t *testing.T, version string) *one.Client {
	t.Helper()
	transport := oned(func(method string, args []any) (string, error) {
		if method == "one.system.version" {
			return version, nil
		}
		return o(method, args)
	})
	client, err := one.New(one.Options{Endpoint: "http://oned/RPC2", Credentials: "oneadmin:x", Transport: transport})
	if err == nil {
		_, _, err = client.Connect(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return client
}
