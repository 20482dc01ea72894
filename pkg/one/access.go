package one

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	EndpointSource string // what named it: a variable, a file, "default"
	Credentials    string // "user:password"; secret
	AuthSource     string // the file it was read from
}

// FindAccess finds the endpoint and the credentials as OpenNebula's own clients do: ONE_XMLRPC,
// $HOME/.one/one_endpoint, /var/lib/one/.one/one_endpoint, http://localhost:2633/RPC2; and ONE_AUTH (a file),
// $HOME/.one/one_auth, /var/lib/one/.one/one_auth. endpoint and authFile, when not empty, win over all of that. getenv
// is os.Getenv outside tests. The error says where it looked.
func FindAccess(getenv func(string) string, endpoint, authFile string) (Access, error) {
	dirs := []string{oneadminHome}
	if home := getenv("HOME"); home != "" && home != oneadminHome {
		dirs = []string{home, oneadminHome}
	}
	a := Access{Endpoint: endpoint, EndpointSource: "--endpoint"}
	if endpoint == "" {
		a.Endpoint, a.EndpointSource = strings.TrimSpace(getenv("ONE_XMLRPC")), "ONE_XMLRPC"
	}
	files := []string{cmp.Or(authFile, getenv("ONE_AUTH"))}
	for _, dir := range dirs {
		file := filepath.Join(dir, ".one", "one_endpoint")
		if content, err := os.ReadFile(file); err == nil && a.Endpoint == "" {
			a.Endpoint, a.EndpointSource = strings.TrimSpace(string(content)), file
		}
		if authFile == "" {
			files = append(files, filepath.Join(dir, ".one", "one_auth"))
		}
	}
	if a.Endpoint == "" {
		a.Endpoint, a.EndpointSource = defaultEndpoint, "default"
	}
	err := a.readCredentials(slices.DeleteFunc(files, func(file string) bool { return file == "" }))
	return a, err
}

// readCredentials reads those of the first file that is there.
func (a *Access) readCredentials(files []string) error {
	for _, file := range files {
		content, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			continue
		}
		a.AuthSource = file
		if err != nil {
			return fmt.Errorf("read credentials: %w", err)
		}
		first, _, _ := strings.Cut(strings.TrimSpace(string(content)), "\n")
		first = strings.TrimSpace(first)
		if user, secret, ok := strings.Cut(first, ":"); !ok || user == "" || secret == "" {
			return fmt.Errorf("read credentials: %s does not hold user:password on its first line", file)
		}
		a.Credentials = first
		return nil
	}
	return fmt.Errorf("no OpenNebula credentials: none of %s exists; run as oneadmin, "+
		"or name a file with user:password by ONE_AUTH or --auth-file", strings.Join(files, ", "))
}
