package one

import (
	"errors"
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

// lookedAt is an access with these places.
func (a Access) lookedAt(places string) Access {
	a.EndpointPlaces = places
	return a
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
		endpoint, auth Given
		want           Access
	}{
		{"home", env("HOME", home), Given{}, Given{}, Access{"http://home:2633/RPC2", homeEndpoint, "", "home:" + secret, homeAuth}},
		{"variables win over home", env("HOME", home, "ONE_XMLRPC", " http://var/RPC2 ", "ONE_AUTH", varAuth), Given{}, Given{},
			Access{"http://var/RPC2", "ONE_XMLRPC", "", "var:" + secret + ":with:colons", varAuth}},
		{"flags win over variables", env("HOME", home, "ONE_XMLRPC", "http://var/RPC2", "ONE_AUTH", varAuth), Given{"http://flag/RPC2", "--endpoint"}, Given{flagAuth, "--auth-file"},
			Access{"http://flag/RPC2", "--endpoint", "", "flag:" + secret, flagAuth}},
		{"ONE_AUTH names nothing", env("HOME", home, "ONE_AUTH", gone), Given{}, Given{}, Access{"http://home:2633/RPC2", homeEndpoint, "", "home:" + secret, homeAuth}},
		{"ONE_AUTH below a file", env("HOME", home, "ONE_AUTH", flagAuth+"/x"), Given{}, Given{}, Access{"http://home:2633/RPC2", homeEndpoint, "", "home:" + secret, homeAuth}},
		{"empty endpoint file", env("HOME", bare, "ONE_AUTH", varAuth), Given{}, Given{}, Access{defaultEndpoint, "default", "", "var:" + secret + ":with:colons", varAuth}},
		{"no home", env("ONE_AUTH", varAuth), Given{}, Given{}, Access{defaultEndpoint, "default", "", "var:" + secret + ":with:colons", varAuth}},
	} {
		if got, err := FindAccess(c.getenv, c.endpoint, c.auth); err != nil || got != c.want.lookedAt(got.EndpointPlaces) || !strings.HasPrefix(got.EndpointPlaces, "ONE_XMLRPC, ") {
			t.Errorf("%s: %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
}

func TestFindAccessFails(t *testing.T) {
	dir := t.TempDir()
	// flawOf is what is wrong, of an error that says so of the file.
	flawOf := func(err error, file string) Flaw {
		t.Helper()
		var is *CredentialsError
		if !errors.As(failed(t, err), &is) || !strings.Contains(err.Error(), file) || is.Flaw != NoFile && is.File != file {
			t.Fatalf("%s: %#v", file, err)
		}
		return is.Flaw
	}
	for text, want := range map[string]Flaw{secret: Malformed, ":" + secret: Malformed, "oneadmin:": Malformed, "": Blank, " \n": Blank} {
		file := place(t, dir, "auth", text)
		_, err := FindAccess(env("ONE_AUTH", file), Given{}, Given{})
		if got := flawOf(err, file); got != want {
			t.Errorf("%q: %d, want %d: %v", text, got, want, err)
		}
	}
	const last = "/var/lib/one/.one/one_auth"
	access, err := FindAccess(env("HOME", dir, "ONE_AUTH", dir+"/gone"), Given{}, Given{})
	for _, place := range []string{"ONE_AUTH=" + dir + "/gone", dir + "/.one/one_auth", last} {
		if access.AuthSource == last {
			break // this machine is a front-end
		}
		if !strings.Contains(failed(t, err).Error(), place) {
			t.Errorf("%s is missing: %v", place, err)
		}
	}
	_, err = FindAccess(env("HOME", dir), Given{}, Given{dir + "/named", "--auth-file"})
	if flawOf(err, "--auth-file "+dir+"/named") != NoFile || strings.Contains(err.Error(), ".one/one_auth") {
		t.Errorf("a named file that is missing: %v", err)
	}
	_, err = FindAccess(env(), Given{}, Given{dir, "--auth-file"})
	if flawOf(err, dir) != Closed || !strings.Contains(err.Error(), "directory") {
		t.Error(err)
	}
	if access.AuthSource == last {
		return
	}
	_, err = FindAccess(env(), Given{}, Given{})
	if want := "not there: ONE_AUTH (not set), ~/.one/one_auth (not set), " + last; !strings.HasSuffix(failed(t, err).Error(), want) {
		t.Errorf("nothing is set: %v; want %s", err, want)
	}
	if _, err = FindAccess(env("HOME", oneadminHome), Given{}, Given{}); strings.Count(failed(t, err).Error(), last) != 1 {
		t.Errorf("of oneadmin: %v", err)
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
