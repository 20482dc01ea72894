package config

import (
	"net/url"
	"strings"
	"testing"
)

func TestParseEndpoint(t *testing.T) {
	for text, want := range map[string]string{
		"one":                         "http://one:2633/RPC2",
		"One.Example":                 "http://one.example:2633/RPC2",
		"one.example.":                "http://one.example.:2633/RPC2",
		"front_end-1:80":              "http://front_end-1:80/RPC2",
		"10.0.0.1":                    "http://10.0.0.1:2633/RPC2",
		"10.0.0.1:02633":              "http://10.0.0.1:2633/RPC2",
		"[::1]":                       "http://[::1]:2633/RPC2",
		"[FD00:0::1]:65535":           "http://[fd00::1]:65535/RPC2",
		"http://one":                  "http://one:2633/RPC2",
		"http://one/":                 "http://one:2633/RPC2",
		"http://one:80/":              "http://one:80/RPC2",
		"HTTP://one:1/rpc":            "http://one:1/rpc",
		"http://one/a/RPC2":           "http://one:2633/a/RPC2",
		"http://one//a%2fb%20c":       "http://one:2633//a%2fb%20c",
		"http://one/a b":              "http://one:2633/a%20b",
		"https://one":                 "https://one/RPC2",
		"https://one:443/RPC2":        "https://one:443/RPC2",
		"https://[::1]":               "https://[::1]/RPC2",
		"https://[fd00::1]:8443/RPC2": "https://[fd00::1]:8443/RPC2",
	} {
		got, err := ParseEndpoint(text)
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v; want %s", text, got, err, want)
		}
		if again, err := ParseEndpoint(got); err != nil || again != got {
			t.Errorf("%s: %s becomes %s, %v", text, got, again, err)
		}
	}
}

// What is refused is never quoted: it may be a password.
func TestEndpointErrors(t *testing.T) {
	const (
		noHost   = "not the name or the address of a host"
		noPort   = "the port is not a number from 1 to 65535"
		noV6     = "not an IPv6 address in brackets"
		noUser   = "a user or password in it"
		noQuery  = "a query or fragment in it"
		noScheme = "neither http nor https"
	)
	for text, want := range map[string]string{
		"": noHost, " one": noHost, "one ": noHost, "-one": noHost, "one-": noHost, "one..example": noHost, ".": noHost, ".one": noHost,
		"ö.example": noHost, "%41": noHost, "10.0.0.256": noHost, "10.0.1": noHost, "7": noHost, "one.7": noHost, "10.0.0.1.": noHost,
		"http://": noHost, "http:///RPC2": noHost, "one/RPC2": noHost, "\u212A.example": noHost,
		strings.Repeat("a", 64): noHost, strings.Repeat("a.", 126) + "aa": noHost,
		"one:": noPort, "one:0": noPort, "one:65536": noPort, "one:-1": noPort, "one:+1": noPort, "one:http": noPort, "oneadmin:s3cret": noPort,
		"http://one:/": noPort, "[::1]:": noPort, "[::1]:x": noPort, "99999999999999999999:99999999999999999999": noHost,
		"::1": "more than one colon: an IPv6 address needs brackets", "fd00::1": "more than one colon: an IPv6 address needs brackets",
		"[::1": noV6, "[::1]2633": noV6, "[one]": noV6, "[10.0.0.1]": noV6, "[]": noV6, "[fe80::1%eth0]": noV6, "http://[fe80::1%25eth0]/": noV6,
		"http://u:s3cret@one/": noUser, "u:s3cret@one": noUser, "http://u:12/s3cret@one": noUser, "http://@one": noUser,
		"http://one/?session=s3cret": noQuery, "http://one/?": noQuery, "http://one/#": noQuery, "one#a": noQuery,
		"ftp://one": noScheme, "://one": noScheme, "s3cret://one": noScheme,
		"http://one/%zz": "not a URL", "one\n": "a character that cannot be printed", "\x1b[2J": "a character that cannot be printed",
	} {
		if want == noV6+"?" {
			want = noV6 // see below: a bracket that is not closed
		}
		want += "; allowed is " + endpointForm
		if strings.Contains(want, noUser) {
			want += "; they belong into auth_file"
		}
		if got, err := ParseEndpoint(text); got != "" || err == nil || err.Error() != want {
			t.Errorf("%q: got %q, %v; want %s", text, got, err, want)
		}
	}
	if endpointForm != "HOST, HOST:PORT, [IPv6]:PORT or a URL such as http://one.example:2633/RPC2" {
		t.Error(endpointForm)
	}
	for _, longest := range []string{strings.Repeat("a", 63), strings.Repeat("a.", 126) + "a"} {
		if _, err := ParseEndpoint(longest); err != nil {
			t.Errorf("%s: %v", longest, err)
		}
	}
}

func TestParseWitness(t *testing.T) {
	for text, want := range map[string]struct {
		w    Witness
		text string
	}{
		"gateway":             {Witness{WitnessGateway, ""}, "gateway"},
		"tcp://10.0.0.2:22":   {Witness{WitnessTCP, "10.0.0.2:22"}, "tcp://10.0.0.2:22"},
		"tcp://[FD00::1]:022": {Witness{WitnessTCP, "[fd00::1]:22"}, "tcp://[fd00::1]:22"},
		"icmp://Switch1":      {Witness{WitnessICMP, "switch1"}, "icmp://switch1"},
		"icmp://[fd00::1]":    {Witness{WitnessICMP, "fd00::1"}, "icmp://[fd00::1]"},
		"dns://9.9.9.9":       {Witness{WitnessDNS, "9.9.9.9:53"}, "dns://9.9.9.9:53"},
		"dns://ns.example:54": {Witness{WitnessDNS, "ns.example:54"}, "dns://ns.example:54"},
		"dns://[::1]":         {Witness{WitnessDNS, "[::1]:53"}, "dns://[::1]:53"},
	} {
		got, err := ParseWitness(text)
		if err != nil || got != want.w || got.String() != want.text {
			t.Errorf("%s: got %+v, %s, %v", text, got, got, err)
		}
		if again, err := ParseWitness(got.String()); err != nil || again != got {
			t.Errorf("%s: read again it is %+v, %v", text, again, err)
		}
	}
}

func TestWitnessErrors(t *testing.T) {
	for text, want := range map[string]string{
		"": "not a witness", "Gateway": "not a witness", "gateway://": "not a witness", "10.0.0.1": "not a witness", "udp://a:1": "not a witness",
		"TCP://a:1": "not a witness", "tcp:a:1": "not a witness", "\x1b": "not a witness",
		"tcp://a": "no port", "tcp://[::1]": "no port", "icmp://a:1": "icmp has no ports", "icmp://[::1]:1": "icmp has no ports",
		"tcp://a:": "the port is not a number from 1 to 65535", "dns://a:0": "the port is not a number from 1 to 65535",
		"icmp://": "not the name or the address of a host", "dns://a/": "not the name or the address of a host",
		"tcp://u:p@a:1": "more than one colon: an IPv6 address needs brackets", "icmp://::1": "more than one colon: an IPv6 address needs brackets",
		"icmp://\x1b[2J": "not the name or the address of a host", "icmp://[::1%a]": "not an IPv6 address in brackets",
	} {
		want += "; allowed is gateway, tcp://HOST:PORT, icmp://HOST or dns://HOST[:PORT]"
		if got, err := ParseWitness(text); got != (Witness{}) || err == nil || err.Error() != want {
			t.Errorf("%q: got %+v, %v; want %s", text, got, err, want)
		}
	}
}

// Whatever a flag brings, it is refused with one printable line, or what it becomes is a
// URL without secrets, and stays what it is.
func FuzzAddress(f *testing.F) {
	for _, text := range []string{"", "one", "[::1]:2633", "https://One/a%2f b", "http://u:p@h/?#", "gateway", "tcp://a:1", "icmp://[::1]", "dns://a"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		switch endpoint, err := ParseEndpoint(text); {
		case err != nil && !allPrintable(err.Error()):
			t.Errorf("%q", err.Error())
		case err == nil:
			u, err := url.Parse(endpoint)
			if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme == "http" && u.Port() == "" {
				t.Errorf("%q becomes %q, %v", text, endpoint, err)
			}
			if again, err := ParseEndpoint(endpoint); err != nil || again != endpoint {
				t.Errorf("%q becomes %q, then %q, %v", text, endpoint, again, err)
			}
		}
		switch witness, err := ParseWitness(text); {
		case err != nil && !allPrintable(err.Error()):
			t.Errorf("%q", err.Error())
		case err == nil:
			if again, err := ParseWitness(witness.String()); err != nil || again != witness {
				t.Errorf("%q becomes %q, then %q, %v", text, witness, again, err)
			}
		}
	})
}
