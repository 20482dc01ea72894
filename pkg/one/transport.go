package one

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// dialTimeout bounds connecting and the TLS handshake, each: what has not answered by then will not.
const dialTimeout = 5 * time.Second

// NewTransport returns a connection pool of at most maxConnections for oned. caFile names a PEM file, or a directory of
// PEM files, that is trusted besides the system's authorities ("" for none); insecure turns the check of certificates
// off. A proxy named in the environment is used, except for localhost. net/http sends a POST a second time only if
// nothing of it was written the first time, so no call is executed twice behind our back.
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

// trusted reads the certificates of a PEM file, or of all files in a directory, on top of the system's.
func trusted(path string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	files, err := regularFiles(path)
	if err != nil {
		return nil, fmt.Errorf("read CA certificates: %w", err)
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
		return nil, fmt.Errorf("read CA certificates: no PEM certificate in %s", path)
	}
	return pool, nil
}

// regularFiles gives the files in a directory, without its directories and
// dangling links, or path itself if it is none.
func regularFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return []string{path}, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		file := filepath.Join(path, e.Name())
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			files = append(files, file)
		}
	}
	return files, nil
}
