package wire

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// authority signs certificates for front-ends.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         string
}

// newAuthority makes an authority that nobody knows yet.
func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of a test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{certificate, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

// certify makes a certificate for an address that ends at a time.
func (a authority) certify(t *testing.T, address string, ends time.Time) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "front-end"}, NotBefore: ends.Add(-2 * time.Hour), NotAfter: ends,
		IPAddresses: []net.IP{net.ParseIP(address)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// secure lets oned be reached by https as well, and gives that URL. The certificate may change.
func (s *site) secure(t *testing.T, shown *atomic.Pointer[tls.Certificate]) string {
	t.Helper()
	server := httptest.NewUnstartedServer(s.oned)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of each handshake that is broken off
	// GetCertificate would not be asked by a client that names no host but an address.
	server.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return &tls.Config{Certificates: []tls.Certificate{*shown.Load()}}, nil
	}}
	server.StartTLS()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL + "/RPC2"
}

// TestCertificates: what a certificate is worth is known before the first call; a bad one is
// wrong configuration, at once and with what to do, and nobody gets the password.
func TestCertificates(t *testing.T) {
	t.Parallel()
	later, before := time.Now().Add(time.Hour), time.Now().Add(-time.Minute)
	for _, c := range []struct {
		name    string
		address string
		ends    time.Time
		known   bool // its authority is in --ca-file
		code    int
		says    []string
	}{
		{"good", "127.0.0.1", later, true, 0, nil},
		{"of an unknown authority", "127.0.0.1", later, false, 2, []string{"unknown authority", "--ca-file"}},
		{"expired", "127.0.0.1", before, true, 2, []string{"expired"}},
		{"for another name", "127.0.0.2", later, true, 2, []string{"127.0.0.2, not 127.0.0.1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, ca := newSite(t, "7.4.1"), newAuthority(t)
			var shown atomic.Pointer[tls.Certificate]
			shown.Store(ca.certify(t, c.address, c.ends))
			url := s.secure(t, &shown)
			options := patiently()
			if c.known {
				options = patiently("--ca-file", s.write(t, "ca.pem", ca.pem))
			}
			r := s.recover(t, url, options...)
			s.refuses(t, r, c.code, c.says)
			if c.code == 0 {
				s.runElsewhere(t)
			}
		})
	}
}

// refuses looks that a run ended at once, for a reason, and before oned heard of it.
func (s *site) refuses(t *testing.T, r run, code int, says []string) {
	t.Helper()
	if r.code != code || r.loud() || r.took > grace {
		t.Errorf("want exit code %d at once: %s", code, r)
	}
	for _, words := range says {
		if !strings.Contains(r.stderr, words) {
			t.Errorf("stderr does not say %q: %s", words, r)
		}
	}
	if calls := s.Calls(); code != 0 && len(calls) > 0 {
		t.Errorf("oned was called: %v", calls)
	}
}

// TestCertificateReplacedWhileActing: the front-end shows a certificate of somebody else in the
// middle of the work. No password goes there, and the VMs that are left are named.
func TestCertificateReplacedWhileActing(t *testing.T) {
	t.Parallel()
	for _, w := range []when{acting, looking} {
		t.Run(string(w), func(t *testing.T) {
			t.Parallel()
			s, ca, other := newSite(t, "5.10.6"), newAuthority(t), newAuthority(t) // each call of 5.10 needs a handshake
			var shown atomic.Pointer[tls.Certificate]
			shown.Store(ca.certify(t, "127.0.0.1", time.Now().Add(time.Hour)))
			url := s.secure(t, &shown)
			bad := other.certify(t, "127.0.0.1", time.Now().Add(time.Hour))
			s.trigger(w, func() { shown.Store(bad) })
			r := s.recover(t, url, patiently(append(w.options(), "--ca-file", s.write(t, "ca.pem", ca.pem))...)...)
			s.hold(t, r, expectation{code: 1, bound: w.bound(), acted: w == acting})
			if !strings.Contains(r.stderr, "unknown authority") {
				t.Errorf("stderr does not name the authority: %s", r)
			}
			s.goOn(t)
			s.runElsewhere(t)
		})
	}
}

// TestMistakenSchemes: http where TLS is spoken and https where it is not never work: the run
// says so at once.
func TestMistakenSchemes(t *testing.T) {
	t.Parallel()
	t.Run("https without TLS", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, "5.10.6")
		r := s.recover(t, strings.Replace(s.endpoint(), "http:", "https:", 1), patiently()...)
		s.refuses(t, r, 2, []string{"write http instead of https"})
	})
	t.Run("http with TLS", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, "5.10.6")
		var shown atomic.Pointer[tls.Certificate]
		shown.Store(newAuthority(t).certify(t, "127.0.0.1", time.Now().Add(time.Hour)))
		r := s.recover(t, strings.Replace(s.secure(t, &shown), "https:", "http:", 1), patiently()...)
		s.refuses(t, r, 2, []string{"HTTP request to an HTTPS server"})
	})
}

// TestHandshakesThatHang: whoever takes connections and never says hello is waited for as an
// oned that is away.
func TestHandshakesThatHang(t *testing.T) {
	t.Parallel()
	s := newSite(t, "7.4.1")
	wire := newLine(t, s.oned, &line{manner: silent})
	wire.begin()
	r := s.recover(t, strings.Replace(endpointAt(wire.address()), "http:", "https:", 1), briefly()...)
	s.hold(t, r, expectation{code: 1, bound: first.bound()})
	s.goOn(t)
	s.runElsewhere(t)
}
