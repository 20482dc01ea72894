// Package tapes holds requests and answers recorded from real OpenNebula
// daemons of several versions. Tests use them twice: the client must read every
// recorded answer, and the simulated cloud must give the same answer to the
// recorded request.
//
// Each version is one txtar archive: index.tsv (name, method, case, HTTP
// status, description), then NAME.req and NAME.resp for each row.
package tapes

import (
	"bytes"
	"embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed *.txtar
var archives embed.FS

// Tape is one recorded request with its answer.
type Tape struct {
	Name        string // unique in its version, for example "673-one.vm.info-web-01-recreate-CLEANUP_RESUBMIT-1"
	Method      string // the XML-RPC method; "raw" for a request that is not a call
	Case        string // what was special about it
	HTTPStatus  int    // 200 for every answer that oned itself gave
	Description string // one line for a reader; empty where Case says it all
	Request     []byte // HTTP request body
	Response    []byte // HTTP response body
}

// Versions lists the versions that were recorded, oldest first, as Load takes
// them. 7.5 is the development branch of August 2026 (7.5.80).
func Versions() []string {
	return []string{"4.4", "4.14", "5.4", "5.8", "5.10", "5.12", "6.4", "6.10", "7.4", "7.5"}
}

// Load returns the tapes of one version of Versions, in recorded order. The
// caller owns the result.
func Load(version string) ([]Tape, error) {
	data, err := archives.ReadFile(version + ".txtar")
	if err != nil {
		return nil, fmt.Errorf("no tapes of version %q: %w", version, err)
	}
	files := unpack(data)
	index, ok := files["index.tsv"]
	if !ok {
		return nil, fmt.Errorf("tapes of %s: the archive has no index.tsv", version)
	}
	var list []Tape
	for line := range strings.Lines(string(index)) {
		t, err := parseRow(strings.TrimSuffix(line, "\n"), files)
		if err != nil {
			return nil, fmt.Errorf("tapes of %s: %w", version, err)
		}
		list = append(list, t)
	}
	return list, nil
}

// unpack splits a txtar archive: a comment, then files that each begin with the
// line "-- NAME --" and go up to the next such line.
func unpack(archive []byte) map[string][]byte {
	files := map[string][]byte{}
	name, start := "", 0
	for pos := 0; pos < len(archive); {
		end := len(archive)
		if n := bytes.IndexByte(archive[pos:], '\n'); n >= 0 {
			end = pos + n + 1
		}
		line := strings.TrimSuffix(string(archive[pos:end]), "\n")
		if next, ok := strings.CutPrefix(line, "-- "); ok && strings.HasSuffix(next, " --") {
			if name != "" {
				files[name] = archive[start:pos]
			}
			name, start = strings.TrimSuffix(next, " --"), end
		}
		pos = end
	}
	if name != "" {
		files[name] = archive[start:]
	}
	return files
}

// parseRow reads one row of index.tsv and finds its two bodies. An archive ends
// every file with a newline; the bodies that had none are the requests that are
// not calls and the HTML pages that go with an HTTP error, so it is taken away
// from those again.
func parseRow(row string, files map[string][]byte) (Tape, error) {
	cols := strings.Split(row, "\t")
	if len(cols) != 5 {
		return Tape{}, fmt.Errorf("row %q has %d columns, want 5", row, len(cols))
	}
	t := Tape{Name: cols[0], Method: cols[1], Case: cols[2], Description: cols[4]}
	var err error
	if t.HTTPStatus, err = strconv.Atoi(cols[3]); err != nil {
		return Tape{}, fmt.Errorf("row %s: HTTP status: %w", t.Name, err)
	}
	req, okReq := files[t.Name+".req"]
	resp, okResp := files[t.Name+".resp"]
	if !okReq || !okResp {
		return Tape{}, fmt.Errorf("row %s: request or answer is missing", t.Name)
	}
	t.Request, t.Response = req, resp
	if t.Method == "raw" {
		t.Request = trimNewline(req)
	}
	if t.HTTPStatus != 200 {
		t.Response = trimNewline(resp)
	}
	return t, nil
}

// trimNewline returns b without its last newline.
func trimNewline(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] == '\n' {
		return b[:n-1]
	}
	return b
}
