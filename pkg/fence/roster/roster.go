// Package roster reads a list of the BMCs of hosts, a CSV file with a line for each host, and says what one-ft.yaml and the files
// with secrets need for them. It reads no file, writes none and runs nothing. What is wrong with a list is said of all its lines at
// once, each a *config.Error of one line that has no secret: the cells of passwords are never quoted, and neither is anything of
// a line whose columns may be shifted.
package roster

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/text"
)

// MaxSize is the largest list in bytes: more than 5,000 hosts with 200 bytes each. A choice.
const MaxSize = 1 << 20

// Password is a secret, which no way of printing shows.
type Password string

// String and GoString hide it.
func (Password) String() string   { return "(secret)" }
func (Password) GoString() string { return "(secret)" }

// BMC is a line of the list.
type BMC struct {
	Line  int    // in the file, from 1
	Host  string // ID or name of the host, as it is written
	Agent string // such as fence_ipmilan
	// Params are for the agent, by their present names; none is a secret. %h is the name of the host, %i its ID.
	Params   map[string]string
	Password Password // "" for none
}

// The columns that a list has to have. All others are parameters of the agents.
const (
	columnHost     = "host"
	columnAgent    = "agent"
	columnAddress  = "address"
	columnUser     = "user"
	columnPassword = "password"
)

// header is the first line of a list, as an example.
const header = "host,agent,address,user,password, and then parameters of the agents such as lanplus"

// Parse reads a list; file is its name in errors. Lines end with LF or CRLF, and a byte order mark of UTF-8 before the first is
// skipped: spreadsheets write both. An empty cell of a parameter, user or password means that it is not set. The list is nil when there
// is any error.
func Parse(file string, list []byte) ([]BMC, []error) {
	r := reader{file: file}
	list = bytes.TrimPrefix(list, []byte("\uFEFF"))
	if len(list) > MaxSize {
		r.wrong(0, "", fmt.Sprintf("at most %d bytes", MaxSize), "the list is larger")
	} else if line := notUTF8(list); line > 0 {
		r.wrong(line, "", "UTF-8, which spreadsheets call CSV UTF-8", "not UTF-8")
	} else {
		r.read(csv.NewReader(bytes.NewReader(list)))
	}
	if len(r.errors) > 0 {
		return nil, r.errors
	}
	return r.list, nil
}

// notUTF8 is the first line that is no UTF-8, or 0.
func notUTF8(list []byte) int {
	line := 0
	for text := range bytes.Lines(list) {
		if line++; !utf8.Valid(text) {
			return line
		}
	}
	return 0
}

// reader is what was read so far.
type reader struct {
	file    string
	columns []string
	list    []BMC
	errors  []error
}

// wrong notes an error; column is "" where it is about a whole line, line 0 where it is about the file.
func (r *reader) wrong(line int, column, allowed, format string, args ...any) {
	r.errors = append(r.errors, &config.Error{File: r.file, Line: line, Key: column, Problem: fmt.Sprintf(format, args...), Allowed: allowed})
}

// read reads all lines, up to the first with wrong quotes: what comes behind those cannot be read.
func (r *reader) read(rows *csv.Reader) {
	for {
		cells, err := rows.Read()
		var where *csv.ParseError
		count := errors.Is(err, csv.ErrFieldCount)
		switch {
		case errors.Is(err, io.EOF):
			if len(r.list) == 0 && len(r.errors) == 0 {
				r.wrong(0, "", "a first line such as "+header+", and a line for each host", "there is no host in the list")
			}
			return
		case errors.As(err, &where) && !count:
			r.wrong(where.StartLine, "", `a cell with commas or quotes such as "a ""quoted"" word", and both quotes in one line`, "quotes that do not fit")
			return
		case err != nil && !count:
			r.wrong(0, "", "", "read the list: %v", err)
			return
		}
		line, _ := rows.FieldPos(0)
		switch {
		case r.columns == nil:
			if r.header(line, cells); len(r.errors) > 0 {
				return
			}
		case count:
			r.wrong(line, "", fmt.Sprintf("%d as in the first line; a cell with a comma stands in quotes", len(r.columns)), "%s", text.Plural(len(cells), "cell"))
		default:
			r.row(line, cells)
		}
	}
}

// header reads the names of the columns.
func (r *reader) header(line int, cells []string) {
	for _, cell := range cells {
		r.columns = append(r.columns, strings.ToLower(cell))
	}
	switch all := strings.Join(cells, ","); {
	case len(cells) == 1 && strings.Contains(all, ";"):
		r.wrong(line, "", "commas between the columns", "the columns are separated by semicolons")
		return
	case strings.Contains(all, "\r"):
		r.wrong(line, "", "LF or CRLF at the end of each line", "lines end with CR alone")
		return
	}
	for _, name := range []string{columnHost, columnAgent, columnAddress, columnUser, columnPassword} {
		if !slices.Contains(r.columns, name) {
			r.wrong(line, "", "a first line such as "+header, "no column %s", name)
		}
	}
	if len(r.errors) > 0 {
		return // the first line may be a host, and a cell its password
	}
	seen := map[string]string{}
	for i, name := range r.columns {
		param := parameter(name)
		before, twice := seen[param]
		seen[param] = name
		switch {
		case !fence.ValidParam(name):
			r.wrong(line, "", "the name of a parameter: a letter, then letters, digits, _ and -", "the name of column %d is none", i+1)
		case twice && before == name:
			r.wrong(line, name, "", "this column is there twice")
		case twice:
			r.wrong(line, name, "one of both", "it means the same as column %s", before)
		case name != columnPassword && fence.SecretParam(param):
			r.wrong(line, name, "a list without it; write it into one-ft.yaml by hand, mode 0640", "only the password has a file of its own, and this is a secret, too")
		}
	}
}

// parameter is what a column is for the agent; host and agent are none, and stay as they are.
func parameter(column string) string {
	switch column {
	case columnAddress:
		return "ip"
	default:
		return fence.CanonicalParam(column) // user is username
	}
}

// row reads the line of a host.
func (r *reader) row(line int, cells []string) {
	b := BMC{Line: line, Params: map[string]string{}}
	before := len(r.errors)
	for i, cell := range cells {
		column := r.columns[i]
		switch {
		case text.Printable(cell) != cell:
			r.wrong(line, column, "", "a line break or a character that cannot be printed")
		case strings.TrimSpace(cell) != cell:
			r.wrong(line, column, "", "it begins or ends with a blank")
		case column == columnHost:
			b.Host = cell
		case column == columnAgent:
			b.Agent = cell
		case cell == "" && column == columnAddress:
			r.wrong(line, column, "the address of a BMC; agents without one are written into one-ft.yaml by hand", "it is empty")
		case cell == "":
		default:
			r.value(&b, column, cell)
		}
	}
	switch err := fence.CheckAgent(b.Agent); {
	case len(r.errors) > before:
	case b.Host == "":
		r.wrong(line, columnHost, "the ID or the name of a host", "it is empty")
	case err != nil:
		r.wrong(line, columnAgent, "", "%v", err)
	default:
		r.list = append(r.list, b)
	}
}

// value takes a parameter, or the password, as params of a one-ft.yaml would.
func (r *reader) value(b *BMC, column, cell string) {
	name := parameter(column)
	var why *config.Error
	if err := config.CheckParam(name, cell); errors.As(err, &why) {
		r.wrong(b.Line, column, why.Allowed, "%s", why.Problem)
		return
	}
	if column == columnPassword {
		b.Password = Password(cell)
	} else {
		b.Params[name] = cell
	}
}
