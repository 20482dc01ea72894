package one

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// dialTimeout bounds connecting and the TLS handshake, each: a host on the same
// network that has not answered a connection attempt by then will not.
const dialTimeout = 5 * time.Second

// NewTransport returns a connection pool of at most maxConnections for oned.
// caFile names a PEM file, or a directory of PEM files, that is trusted besides
// the system's authorities ("" for none); insecure turns the check of
// certificates off. A proxy named in the environment is used, except for
// localhost. net/http sends a POST a second time only if nothing of it was
// written the first time, so no call is executed twice behind our back.
func NewTransport(caFile string, insecure bool) (*http.Transport, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure}
	if caFile != "" {
		pool, err := trusted(caFile)
		if err != nil {
			return nil, err
		}
		conf.RootCAs = pool
	}
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSClientConfig:     conf,
		TLSHandshakeTimeout: dialTimeout,
		MaxConnsPerHost:     maxConnections,
		MaxIdleConnsPerHost: maxConnections,
		// oned 4.4 closes idle connections after 15 s (KEEPALIVE_TIMEOUT); a call
		// that is sent on one that is just closing has an unknown fate.
		IdleConnTimeout: 5 * time.Second,
	}, nil
}

// trusted reads the certificates of a PEM file, or of all files in a directory,
// on top of the system's.
func trusted(path string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	files := []string{path}
	if info, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("read CA certificates: %w", err)
	} else if info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(path, "*")); err != nil {
			return nil, fmt.Errorf("read CA certificates in %s: %w", path, err)
		}
	}
	found := false
	for _, file := range files {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read CA certificate: %w", err)
		}
		found = pool.AppendCertsFromPEM(pem) || found
	}
	if !found {
		return nil, fmt.Errorf("read CA certificates: %w", errors.New("no PEM certificate in "+path))
	}
	return pool, nil
}
