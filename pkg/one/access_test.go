package one

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// place writes a file below a directory and returns its path.
func place(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// env is an environment.
func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestFindAccessInOrder(t *testing.T) {
	dir := t.TempDir()
	home, bare := filepath.Join(dir, "home"), filepath.Join(dir, "bare")
	homeAuth := place(t, home, ".one/one_auth", "home:"+secret+"\n")
	homeEndpoint := place(t, home, ".one/one_endpoint", "  http://home:2633/RPC2 \n")
	varAuth := place(t, dir, "auth", "var:"+secret+":with:colons\r\nsecond line\n")
	flagAuth := place(t, dir, "flag", "flag:"+secret)
	place(t, bare, ".one/one_endpoint", " \n")
	gone := filepath.Join(dir, "gone")
	for _, c := range []struct {
		name           string
		getenv         func(string) string
		endpoint, auth string
		want           Access
	}{
		{"home", env("HOME", home), "", "", Access{"http://home:2633/RPC2", homeEndpoint, "home:" + secret, homeAuth}},
		{"variables win over home", env("HOME", home, "ONE_XMLRPC", " http://var/RPC2 ", "ONE_AUTH", varAuth), "", "",
			Access{"http://var/RPC2", "ONE_XMLRPC", "var:" + secret + ":with:colons", varAuth}},
		{"flags win over variables", env("HOME", home, "ONE_XMLRPC", "http://var/RPC2", "ONE_AUTH", varAuth), "http://flag/RPC2", flagAuth,
			Access{"http://flag/RPC2", "--endpoint", "flag:" + secret, flagAuth}},
		{"ONE_AUTH names nothing", env("HOME", home, "ONE_AUTH", gone), "", "", Access{"http://home:2633/RPC2", homeEndpoint, "home:" + secret, homeAuth}},
		{"ONE_AUTH below a file", env("HOME", home, "ONE_AUTH", flagAuth+"/x"), "", "", Access{"http://home:2633/RPC2", homeEndpoint, "home:" + secret, homeAuth}},
		{"empty endpoint file", env("HOME", bare, "ONE_AUTH", varAuth), "", "", Access{defaultEndpoint, "default", "var:" + secret + ":with:colons", varAuth}},
		{"no home", env("ONE_AUTH", varAuth), "", "", Access{defaultEndpoint, "default", "var:" + secret + ":with:colons", varAuth}},
	} {
		if got, err := FindAccess(c.getenv, c.endpoint, c.auth); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
}

func TestFindAccessFails(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"no colon": secret, "no user": ":" + secret, "no password": "oneadmin:", "empty": "", "blank": " \n"} {
		file := place(t, dir, "auth", text)
		_, err := FindAccess(env("ONE_AUTH", file), "", "")
		if text := failed(t, err).Error(); !strings.Contains(text, file) || !strings.Contains(text, "user:password") {
			t.Errorf("%s: %s", name, text)
		}
	}
	const last = "/var/lib/one/.one/one_auth"
	access, err := FindAccess(env("HOME", dir, "ONE_AUTH", dir+"/gone"), "", "")
	for _, place := range []string{dir + "/gone", dir + "/.one/one_auth", last, "--auth-file"} {
		if access.AuthSource == last {
			break // this machine is a front-end
		}
		if !strings.Contains(failed(t, err).Error(), place) {
			t.Errorf("%s is missing: %v", place, err)
		}
	}
	_, err = FindAccess(env("HOME", dir), "", dir+"/named")
	if text := failed(t, err).Error(); !strings.Contains(text, dir+"/named") || strings.Contains(text, ".one/one_auth") {
		t.Errorf("a named file that is missing: %s", text)
	}
	_, err = FindAccess(env(), "", dir)
	if !strings.Contains(failed(t, err).Error(), "directory") {
		t.Error(err)
	}
}

// TestEndpoints: an endpoint may hold a password, and what is shown of it does not.
func TestEndpoints(t *testing.T) {
	for _, bad := range []string{"", "oned", "localhost:2633/RPC2", "ftp://oned/RPC2", "http://", "/RPC2", "http://a b/",
		"htp://u:" + secret + "@oned/RPC2", "http://u:" + secret + "@oned:x/RPC2", "http://oned\x1b[2J/RPC2"} {
		_, err := New(Options{Endpoint: bad, Credentials: "oneadmin:" + secret})
		_ = failed(t, err)
	}
	_, err := New(Options{Endpoint: defaultEndpoint})
	_ = failed(t, err)
	c, err := New(Options{Endpoint: "https://u:" + secret + "@oned:2633/RPC2", Credentials: "oneadmin:" + secret})
	if err != nil || c.Endpoint() != "https://oned:2633/RPC2" {
		t.Errorf("%s, %v", c.Endpoint(), err)
	}
}
