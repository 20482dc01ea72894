package config

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// The port and the path of oned's XML-RPC server, from its configuration and its source.
const (
	onedPort = "2633"
	onedPath = "/RPC2"
)

const endpointForm = "HOST, HOST:PORT, [IPv6]:PORT or a URL such as http://one.example:2633/RPC2"

// ParseEndpoint reads where oned of a front-end is: HOST, HOST:PORT, [IPv6]:PORT, or an
// http or https URL. It returns the URL with what was left out: http, port 2633 (not for
// https, whose own port is 443) and the path /RPC2. What it returned it returns again.
// The error is one line that says what is allowed and quotes nothing of the text, in
// which a password may stand.
func ParseEndpoint(text string) (string, error) {
	switch {
	case !allPrintable(text):
		return "", &Error{Problem: "a character that cannot be printed", Allowed: endpointForm}
	case strings.Contains(text, "@"):
		return "", &Error{Problem: "a user or password in it", Allowed: endpointForm + "; they belong into auth_file"}
	case strings.ContainsAny(text, "?#"):
		return "", &Error{Problem: "a query or fragment in it", Allowed: endpointForm}
	}
	scheme, rest, isURL := strings.Cut(text, "://")
	authority, path, hasPath := strings.Cut(rest, "/")
	if !isURL {
		scheme, authority, hasPath = "http", text, false
	}
	scheme = strings.ToLower(scheme)
	if scheme != "http" && scheme != "https" {
		return "", &Error{Problem: "neither http nor https", Allowed: endpointForm}
	}
	host, port, problem := hostPort(authority)
	if problem != "" {
		return "", &Error{Problem: problem, Allowed: endpointForm}
	}
	if port == "" && scheme == "http" {
		port = onedPort
	}
	whole := scheme + "://" + joined(host, port)
	if !hasPath || path == "" {
		return whole + onedPath, nil
	}
	u, err := url.Parse(whole + "/" + path)
	if err != nil {
		return "", &Error{Problem: "not a URL", Allowed: endpointForm}
	}
	return u.String(), nil
}

// Values of Witness.Kind.
const (
	WitnessGateway = "gateway" // the default gateway of the host
	WitnessTCP     = "tcp"     // a port that takes connections
	WitnessICMP    = "icmp"    // a host that answers pings
	WitnessDNS     = "dns"     // a name server that answers
)

// Witness is something that tells that the network works when it answers.
type Witness struct {
	// Kind is one of WitnessGateway, WitnessTCP, WitnessICMP and WitnessDNS.
	Kind string
	// Address is host:port for tcp and dns, with brackets around an IPv6 address; the host
	// alone without any for icmp; "" for the gateway.
	Address string
}

// dnsPort is the port of name servers (RFC 1035).
const dnsPort = "53"

const witnessForm = "gateway, tcp://HOST:PORT, icmp://HOST or dns://HOST[:PORT]"

// ParseWitness reads a witness: gateway, tcp://HOST:PORT, icmp://HOST or
// dns://HOST[:PORT], where port 53 may be left out. An IPv6 address has brackets. The
// error is one line that says what is allowed.
func ParseWitness(text string) (Witness, error) {
	if text == WitnessGateway {
		return Witness{Kind: WitnessGateway}, nil
	}
	kind, rest, found := strings.Cut(text, "://")
	if !found || kind != WitnessTCP && kind != WitnessICMP && kind != WitnessDNS {
		return Witness{}, &Error{Problem: "not a witness", Allowed: witnessForm}
	}
	host, port, problem := hostPort(rest)
	switch {
	case problem != "":
		return Witness{}, &Error{Problem: problem, Allowed: witnessForm}
	case kind == WitnessICMP && port != "":
		return Witness{}, &Error{Problem: "icmp has no ports", Allowed: witnessForm}
	case kind == WitnessICMP:
		return Witness{kind, host}, nil
	case kind == WitnessTCP && port == "":
		return Witness{}, &Error{Problem: "no port", Allowed: witnessForm}
	case port == "":
		port = dnsPort
	}
	return Witness{kind, joined(host, port)}, nil
}

// String is the text that ParseWitness reads, with its port.
func (w Witness) String() string {
	switch w.Kind {
	case WitnessGateway:
		return w.Kind
	case WitnessICMP:
		return w.Kind + "://" + joined(w.Address, "")
	}
	return w.Kind + "://" + w.Address
}

// joined is the host in brackets if it needs them, and the port if there is one.
func joined(host, port string) string {
	if port != "" {
		return net.JoinHostPort(host, port)
	}
	return strings.TrimSuffix(net.JoinHostPort(host, ""), ":")
}

// hostPort takes HOST, HOST:PORT, [IPv6] or [IPv6]:PORT apart and says what is wrong
// with it, or "". The host is in lower case and has no brackets; a port that is not
// there is "".
func hostPort(text string) (host, port, problem string) {
	var hasPort bool
	if inner, bracket := strings.CutPrefix(text, "["); bracket {
		inner, rest, closed := strings.Cut(inner, "]")
		addr, err := netip.ParseAddr(inner)
		if !closed || err != nil || !addr.Is6() || addr.Zone() != "" || rest != "" && rest[0] != ':' {
			return "", "", "not an IPv6 address in brackets"
		}
		host = addr.String()
		port, hasPort = strings.CutPrefix(rest, ":")
	} else {
		host, port, hasPort = strings.Cut(text, ":")
		switch {
		case strings.Contains(port, ":"):
			return "", "", "more than one colon: an IPv6 address needs brackets"
		case !isHost(host):
			return "", "", "not the name or the address of a host"
		}
		host = strings.ToLower(host)
	}
	if !hasPort {
		return host, "", ""
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", "", "the port is not a number from 1 to 65535"
	}
	return host, strconv.FormatUint(n, 10), ""
}

// isHost reports whether s is a host name or an IPv4 address. A name
// has at most 253 letters and each of its parts at most 63 (RFC 1035); _ is allowed
// because resolvers do.
func isHost(s string) bool {
	parts := strings.Split(strings.TrimSuffix(s, "."), ".")
	for _, part := range parts {
		if !isWord(part) || len(part) > 63 || part[0] == '-' || part[len(part)-1] == '-' {
			return false
		}
	}
	if isNumber(parts[len(parts)-1]) { // no domain is a number: it is meant as an address
		addr, err := netip.ParseAddr(s)
		return err == nil && addr.Is4()
	}
	return len(s) <= 253
}
