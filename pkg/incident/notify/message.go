package notify

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"one-ft/pkg/incident"
	"one-ft/pkg/text"
	"one-ft/pkg/wording"
)

// message is what a command gets.
type message struct {
	about string // for the log
	env   []string
	stdin []byte
}

// eventDigest is FT_EVENT of a message about several incidents.
const eventDigest = "digest"

const (
	// maxIncidents is how many incidents a digest has at most.
	maxIncidents = 200
	// maxDigest bounds their records in bytes: a command may put them into a mail.
	maxDigest = 4 << 20
)

// digest is what a command gets about several incidents.
type digest struct {
	Version int `json:"version"`
	// Digest is how many incidents it is about; not more than 200 of them are in it.
	Digest    int               `json:"digest"`
	Incidents []json.RawMessage `json:"incidents"` // newest first, without their events
}

// single is the message about one event. r is the whole record.
func single(e event, r incident.Record) (message, error) {
	object := fmt.Sprintf("%s %d", r.Kind, r.ID)
	if r.Name != "" {
		object += " (" + r.Name + ")"
	}
	text, err := encode(r)
	if err != nil {
		return message{}, fmt.Errorf("write incident %d as JSON: %w", e.number, err)
	}
	return message{
		about: e.String(), stdin: text,
		env: environment(string(e.kind), strconv.Itoa(r.Number), object, string(r.Status), summary(e.kind, r)),
	}, nil
}

// summary is an incident in one line: how it ended, else what was said last, and of one that is held why. Of one that
// ended with VMs that run elsewhere without a proof it says what an operator has to do.
func summary(k Kind, r incident.Record) string {
	switch {
	case r.Kind == "host" && !r.Status.Unfinished() && r.IsUnproven():
		harm := "else its VMs run twice"
		if r.DeletedOnly() {
			harm = "else deleted VMs run there, unknown to OpenNebula"
		}
		todo := "; nothing proves that the host is off: make sure of it before it gets its network or power back, " + harm
		return r.Summary + todo
	case r.Summary != "":
		return r.Summary
	}
	text := ""
	for _, e := range slices.Backward(r.Events) {
		if text == "" {
			text = e.Text
		}
		if k == Hold && e.Kind.Is(wording.Held, wording.NowhereHeld) {
			return e.Text
		}
	}
	return text
}

// several is the message about several incidents, the oldest first.
func several(records []incident.Record) (message, error) {
	d := digest{Version: incident.RecordVersion, Digest: len(records), Incidents: []json.RawMessage{}}
	size := 0
	for _, r := range slices.Backward(records) {
		text, err := encode(r)
		if err != nil {
			return message{}, fmt.Errorf("write incident %d as JSON: %w", r.Number, err)
		}
		if size += len(text); len(d.Incidents) == maxIncidents || size > maxDigest {
			break
		}
		d.Incidents = append(d.Incidents, text)
	}
	text, err := encode(d)
	if err != nil {
		return message{}, fmt.Errorf("write a digest as JSON: %w", err)
	}
	statuses, worst := counts(records)
	about := fmt.Sprintf("%d incidents", len(records))
	return message{
		about: about, stdin: text,
		env: environment(eventDigest, "", objects(records), string(worst), about+": "+statuses),
	}, nil
}

// counts says how many incidents stand how, such as "38 done, 2 incomplete", and which status of them is the worst.
func counts(records []incident.Record) (text string, worst incident.Status) {
	number := make(map[incident.Status]int)
	for _, r := range records {
		number[r.Status]++
	}
	reads := map[incident.Status]string{incident.Following: "still starting", incident.Unproven: "started elsewhere, UNPROVEN"}
	var parts []string
	for _, s := range incident.Statuses() {
		if number[s] > 0 {
			parts, worst = append(parts, fmt.Sprintf("%d %s", number[s], cmp.Or(reads[s], string(s)))), s
		}
	}
	return strings.Join(parts, ", "), worst
}

// objects is what the incidents are about, such as "2 hosts, 1 VM".
func objects(records []incident.Record) string {
	var parts []string
	for _, kind := range []string{"host", "VM"} {
		ids := make(map[int]bool)
		for _, r := range records {
			if r.Kind == kind {
				ids[r.ID] = true
			}
		}
		if len(ids) > 0 {
			parts = append(parts, text.Plural(len(ids), kind))
		}
	}
	return strings.Join(parts, ", ")
}

// environment is that of this process with what the message says.
func environment(event, number, object, status, summary string) []string {
	return append(os.Environ(), "FT_EVENT="+event, "FT_INCIDENT="+number, "FT_OBJECT="+text.Short(object, maxSaid),
		"FT_STATUS="+text.Short(status, maxSaid), "FT_SUMMARY="+text.Short(summary, maxSaid))
}

// encode is a value as JSON, with <, > and & as they are.
func encode(value any) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), err
}

// maxSaid is how many characters of a text are shown.
const maxSaid = 1000
