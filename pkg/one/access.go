package one

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// The places where OpenNebula's own clients look (client.rb of 4.4 to 7.4).
const (
	defaultEndpoint = "http://localhost:2633/RPC2"
	oneadminHome    = "/var/lib/one"
)

// Access is where oned is and as whom to talk to it.
type Access struct {
	Endpoint       string // URL
	EndpointSource string // what named it: an option, a variable, a file, "default"
	// EndpointPlaces are all that could have named an endpoint, in order, for an admin to read.
	EndpointPlaces string
	Credentials    string // "user:password"; secret
	AuthSource     string // the file it was read from
}

// Given is a value of an option or of a configuration, and what gave it, such as "--endpoint"; the zero Given is none.
type Given struct{ Value, By string }

// FindAccess finds the endpoint and the credentials as OpenNebula's own clients do: ONE_XMLRPC,
// $HOME/.one/one_endpoint, /var/lib/one/.one/one_endpoint, http://localhost:2633/RPC2; and ONE_AUTH (a file),
// $HOME/.one/one_auth, /var/lib/one/.one/one_auth. endpoint and authFile, when not empty, win over all of that. getenv
// is os.Getenv outside tests. The error is a *CredentialsError.
func FindAccess(getenv func(string) string, endpoint, authFile Given) (Access, error) {
	a := Access{Endpoint: endpoint.Value, EndpointSource: endpoint.By}
	if a.Endpoint == "" {
		a.Endpoint, a.EndpointSource = strings.TrimSpace(getenv("ONE_XMLRPC")), "ONE_XMLRPC"
	}
	places, files := []string{"ONE_XMLRPC"}, inHomes(getenv, "one_endpoint")
	for _, file := range files {
		places = append(places, file.By)
		if content, err := os.ReadFile(file.Value); err == nil && a.Endpoint == "" {
			a.Endpoint, a.EndpointSource = strings.TrimSpace(string(content)), file.Value
		}
	}
	a.EndpointPlaces = strings.Join(places, ", ")
	if a.Endpoint == "" {
		a.Endpoint, a.EndpointSource = defaultEndpoint, "default"
	}
	if authFile.Value != "" {
		return a, a.readCredentials(authFile)
	}
	variable := Given{getenv("ONE_AUTH"), "ONE_AUTH"}
	if variable.Value != "" {
		variable.By += "=" + variable.Value
	}
	return a, a.readCredentials(append([]Given{variable}, inHomes(getenv, "one_auth")...)...)
}

// inHomes are the files with a name in the home directories of the user and of oneadmin.
func inHomes(getenv func(string) string, name string) []Given {
	own, others := Given{By: "~/.one/" + name}, filepath.Join(oneadminHome, ".one", name)
	if home := getenv("HOME"); home != "" {
		own = Given{filepath.Join(home, ".one", name), filepath.Join(home, ".one", name)}
	}
	if own.Value == others {
		return []Given{own}
	}
	return []Given{own, {others, others}}
}

// readCredentials reads those of the first file that is there. A file without a name is one that nothing names.
func (a *Access) readCredentials(files ...Given) error {
	missing := &CredentialsError{Flaw: NoFile}
	for _, file := range files {
		if file.Value == "" {
			missing.Places = append(missing.Places, file.By+" (not set)")
			continue
		}
		missing.Places = append(missing.Places, file.name())
		content, err := os.ReadFile(file.Value)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue
		}
		a.AuthSource = file.Value
		if err != nil {
			return &CredentialsError{File: file.Value, Flaw: Closed, Err: err}
		}
		first, _, _ := strings.Cut(strings.TrimSpace(string(content)), "\n")
		first = strings.TrimSpace(first)
		user, secret, ok := strings.Cut(first, ":")
		switch {
		case first == "":
			return &CredentialsError{File: file.Value, Flaw: Blank}
		case !ok || user == "" || secret == "":
			return &CredentialsError{File: file.Value, Flaw: Malformed}
		}
		a.Credentials = first
		return nil
	}
	return missing
}

// name is what a file is called among the places.
func (g Given) name() string {
	if g.By == "" || strings.Contains(g.By, g.Value) {
		return cmp.Or(g.By, g.Value)
	}
	return g.By + " " + g.Value
}

// Flaw is what is wrong with credentials.
type Flaw int

// The flaws.
const (
	NoFile    Flaw = iota // none of the files is there
	Closed                // a file is there and cannot be read
	Blank                 // nothing is in it
	Malformed             // its first line is not user:password
)

// CredentialsError says why there are no credentials. It never holds any of what is in a file.
type CredentialsError struct {
	Flaw   Flaw
	File   string   // which was read; "" for NoFile
	Places []string // where was looked, in order; for NoFile
	Err    error    // of the operating system; for Closed
}

// Error says what is wrong; what to do about it depends on the program.
func (e *CredentialsError) Error() string {
	switch e.Flaw {
	case Closed:
		return fmt.Sprintf("OpenNebula credentials cannot be read: %v", e.Err)
	case Blank:
		return fmt.Sprintf("OpenNebula credentials: %s is empty", e.File)
	case Malformed:
		return fmt.Sprintf("OpenNebula credentials: %s does not hold user:password on its first line", e.File)
	}
	return "no OpenNebula credentials: not there: " + strings.Join(e.Places, ", ")
}

// Unwrap gives what the operating system said.
func (e *CredentialsError) Unwrap() error { return e.Err }
