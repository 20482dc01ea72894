package lab

import (
	"encoding/base64"
	"os"
	"strconv"
	"strings"
	"time"

	"one-ft/pkg/one"
)

// hook is a program that runs when something gets into a state.
type hook struct {
	host      bool // for a host in a state; else for a VM in one
	hostState one.HostState
	vm        one.VMState
	lcm       one.LCMState

	command string        // absolute path
	args    string        // as an admin wrote them
	stdin   bool          // all words come there
	timeout time.Duration // 0 is that of the lab
}

// event is one time that a hook is due.
type event struct {
	hook hook
	id   int
	what string // what happened, for the log
	xml  string // of the object, as oned wrote it when it happened
	// The state before, in names; only VM hooks before 5.10 can ask for them.
	prevState, prevLCM string
}

// process is how a hook is started.
type process struct {
	argv  []string
	stdin string
	dir   string
}

// fromOned starts a hook as oned did up to 5.8: one line for the shell, in which
// oned fills in the first of each variable that it knows and leaves the others
// to the shell (src/vm/VirtualMachineHook.cc, HostHook.cc and
// CommandManager.rb of 4.4).
func fromOned(e event, varDir string) process {
	args := e.hook.args
	fill := func(name, value string) { args = strings.Replace(args, name, value, 1) }
	fill("$ID", strconv.Itoa(e.id))
	fill("$TEMPLATE", base64.StdEncoding.EncodeToString([]byte(e.xml)))
	if !e.hook.host {
		fill("$PREV_STATE", e.prevState)
		fill("$PREV_LCM_STATE", e.prevLCM)
	}
	line := e.hook.command + " " + args + "; echo ExitCode: $? 1>&2"
	return process{argv: []string{"sh", "-c", line}, dir: varDir}
}

// fromManager starts a hook as the hook execution manager does from 5.10 on: only
// a whole word $TEMPLATE is filled in (and $API, which is empty for state hooks).
// The line goes to a shell only when it holds what a shell is needed for
// (onehem-server.rb and CommandManager.rb; Ruby's Kernel#spawn).
func fromManager(e event, onStdin bool) process {
	words := strings.Fields(e.hook.args)
	for i, word := range words {
		switch word {
		case "$TEMPLATE":
			words[i] = base64.StdEncoding.EncodeToString([]byte(indent(e.xml)))
		case "$API":
			words[i] = ""
		}
	}
	params := strings.TrimSpace(strings.Join(words, " "))
	p := process{dir: "/"}
	line := e.hook.command
	switch {
	case onStdin:
		p.stdin = params
	case params != "":
		line += " " + params
	}
	p.argv = strings.Fields(line)
	if strings.ContainsAny(line, "*?{}[]<>()~&|\\$;'`\"\n#%") {
		p.argv = []string{"sh", "-c", line}
	}
	return p
}

// indent writes XML as the hook manager hands it over (Nokogiri): each element on
// a line of its own, two more blanks for each level, <X/> for one that is empty.
// CDATA sections stay as they are.
func indent(text string) string {
	var b []byte
	level := 0
	leaf := false  // no element has begun or ended since the last start tag
	empty := false // nothing at all has come since
	newLine := func() {
		if len(b) > 0 {
			b = append(append(b, '\n'), strings.Repeat("  ", level)...)
		}
	}
	for text != "" {
		token, rest := nextToken(text)
		text = rest
		switch {
		case strings.HasPrefix(token, "</"):
			level = max(0, level-1)
			if empty && strings.HasSuffix(token, ">") {
				b, token = b[:len(b)-1], "/>"
			} else if !leaf {
				newLine()
			}
			leaf, empty = false, false
		case strings.HasPrefix(token, "<") && !strings.HasPrefix(token, "<!"):
			newLine()
			leaf = !strings.HasSuffix(token, "/>")
			empty = leaf
			if leaf {
				level++
			}
		default:
			empty = false
		}
		b = append(b, token...)
	}
	return string(b)
}

// nextToken cuts a tag, a CDATA section or a text off.
func nextToken(text string) (token, rest string) {
	end := "<"
	switch {
	case strings.HasPrefix(text, "<![CDATA["):
		end = "]]>"
	case text[0] == '<':
		end = ">"
	}
	at := strings.Index(text[1:], end)
	if at < 0 {
		return text, ""
	}
	at++
	if end != "<" {
		at += len(end)
	}
	return text[:at], text[at:]
}

// setNumber replaces the number of the first element of that name: oned tells
// the hook manager what the state was before.
func setNumber(xml, name string, value int) string {
	before, rest, ok := strings.Cut(xml, "<"+name+">")
	_, after, closed := strings.Cut(rest, "</"+name+">")
	if !ok || !closed {
		return xml
	}
	return before + "<" + name + ">" + strconv.Itoa(value) + "</" + name + ">" + after
}

// Delivery is how oned would start a hook: the words of its command line behind the command,
// and what it gets on standard input.
type Delivery struct {
	Words []string
	Stdin string
}

// Deliver says how oned starts a hook for the host (or VM) with this ID and XML. args is as an
// admin wrote it; old is oned up to 5.8, which has a shell read the line, onStdin is
// ARGUMENTS_STDIN of later ones.
func Deliver(old, onStdin, host bool, args string, id int, xml string) Delivery {
	e := event{hook: hook{host: host, command: "/hook", args: args}, id: id, xml: xml}
	if !old {
		p := fromManager(e, onStdin)
		if p.argv[0] == "sh" {
			p.argv = strings.Fields(expanded(p.argv[2]))
		}
		return Delivery{Words: p.argv[1:], Stdin: p.stdin}
	}
	line, _, _ := strings.Cut(fromOned(e, "/").argv[2], ";")
	return Delivery{Words: strings.Fields(expanded(line))[1:]}
}

// expanded is a line as a shell reads it: it makes nothing of variables that it does not know.
func expanded(line string) string { return os.Expand(line, func(string) string { return "" }) }
