package one

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"one-ft/pkg/text"
	"one-ft/test/testdata/tapes"
)

// recorded is what a tape answers, read without the client.
type recorded struct {
	kind  string // value, refusal, fault, other
	value string // of a value, "type:text"
	code  int
	text  string
}

func readRecorded(t *testing.T, tape tapes.Tape) recorded {
	t.Helper()
	if tape.HTTPStatus != http.StatusOK {
		return recorded{kind: "other"}
	}
	list, err := scalars(tape.Response)
	if err != nil {
		t.Fatalf("%s: %v", tape.Name, err)
	}
	number := func(i int) int {
		n, err := strconv.Atoi(strings.TrimPrefix(list[i], "int:"))
		if err != nil {
			t.Fatalf("%s: %v", tape.Name, err)
		}
		return n
	}
	switch {
	case list[0] == "name:faultCode":
		return recorded{kind: "fault", code: number(1), text: strings.TrimPrefix(list[3], "string:")}
	case list[0] == "boolean:1":
		return recorded{kind: "value", value: list[1]}
	}
	return recorded{kind: "refusal", text: strings.TrimPrefix(list[1], "string:"), code: number(2)}
}

// TestEveryRecordedAnswer plays all answers of all versions to the client.
func TestEveryRecordedAnswer(t *testing.T) {
	classes := map[int]error{256: ErrAuthentication, 512: ErrAuthorization, 1024: ErrNotFound, 2048: ErrWrongState,
		4096: ErrBadArgument, 8192: ErrInternal}
	seen := map[string]int{}
	eachTape(t, func(version string, tape tapes.Tape) {
		want := readRecorded(t, tape)
		value, err := playing(t, version, tape).call(ctx(t), false, tape.Method)
		seen[want.kind]++
		got := recorded{kind: "other"}
		var refusal *CallError
		var fault *FaultError
		switch {
		case err == nil && value == nil:
			got = recorded{kind: "value", value: "string:"}
		case err == nil:
			got = recorded{kind: "value", value: fmt.Sprintf("%s:%v", strings.Replace(fmt.Sprintf("%T", value), "int64", "int", 1), value)}
		case errors.As(failed(t, err), &refusal):
			got = recorded{kind: "refusal", code: refusal.Code, text: refusal.Text}
			if !errors.Is(err, classes[want.code]) || Temporary(err) != (want.code == 8192) {
				t.Errorf("%s %s: class of %v", version, tape.Name, err)
			}
		case errors.As(err, &fault):
			got = recorded{kind: "fault", code: fault.Code, text: fault.Text}
			if errors.Is(err, ErrUnsupported) != (want.code == FaultUnknownMethod) || Temporary(err) {
				t.Errorf("%s %s: class of %v", version, tape.Name, err)
			}
		default:
			if e := answerError(t, err); e.Status != tape.HTTPStatus || Temporary(err) {
				t.Errorf("%s %s: %v", version, tape.Name, err)
			}
		}
		want.text, want.value = text.Printable(want.text), strings.Replace(want.value, "boolean:", "bool:", 1)
		if got != want {
			t.Errorf("%s %s:\n got %+v\nwant %+v", version, tape.Name, got, want)
		}
	})
	if seen["value"] < 1000 || seen["refusal"] < 1000 || seen["fault"] < 20 || seen["other"] < 6 {
		t.Errorf("the tapes hold fewer answers than they should: %v", seen)
	}
}

// numbers lists what a pattern with one group finds.
func numbers(document, pattern string) []int {
	var list []int
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(document, -1) {
		n, _ := strconv.Atoi(m[1])
		list = append(list, n)
	}
	return list
}

// same compares what was read with what a pattern finds in the document.
func same(t *testing.T, what, document, pattern string, got ...int) {
	t.Helper()
	if want := numbers(document, pattern); !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestEveryRecordedVM compares all VMs of all tapes with their text.
func TestEveryRecordedVM(t *testing.T) {
	count := 0
	eachTape(t, func(version string, tape tapes.Tape) {
		want := readRecorded(t, tape)
		if want.kind != "value" || tape.Method != "one.vm.info" && !strings.HasPrefix(tape.Method, "one.vmpool.info") {
			return
		}
		document := strings.TrimPrefix(want.value, "string:")
		pool := document
		if tape.Method == "one.vm.info" {
			pool = "<VM_POOL>" + document + "</VM_POOL>"
		}
		vms, err := ReadPool(ctx(t), client(t, version, always(200, accepted(pool))), "VM", (*Element).WholeVM, tape.Method)
		if err != nil {
			t.Fatalf("%s %s: %v", version, tape.Name, err)
		}
		texts := strings.Split(document, "<VM><ID>")[1:]
		if len(texts) != len(vms) {
			t.Fatalf("%s %s: %d VMs, want %d", version, tape.Name, len(vms), len(texts))
		}
		for i, v := range vms {
			name := fmt.Sprintf("%s %s VM %d ", version, tape.Name, v.ID)
			text := "<VM><ID>" + texts[i]
			same(t, name+"ID", text, `<VM><ID>(\d+)</ID>`, v.ID)
			same(t, name+"state", text, `<STATE>(\d+)</STATE>`, int(v.State))
			same(t, name+"LCM state", text, `<LCM_STATE>(\d+)</LCM_STATE>`, int(v.LCM))
			var hosts, seqs []int
			for _, r := range v.History {
				hosts, seqs = append(hosts, r.HostID), append(seqs, r.Seq)
			}
			same(t, name+"hosts", text, `<HID>(-?\d+)</HID>`, hosts...)
			same(t, name+"records", text, `<SEQ>(\d+)</SEQ>`, seqs...)
			if strings.Contains(v.State.String()+v.LCM.String(), "STATE_") || v.Name == "" {
				t.Errorf("%s: %+v", name, v)
			}
			if _, state, ok := strings.Cut(tape.Description, v.Name+" is "); ok && state != v.Status() {
				t.Errorf("%s: status %s, recorded when %s", name, v.Status(), tape.Description)
			}
			count++
		}
	})
	if count < 300 {
		t.Errorf("only %d VMs", count)
	}
}

// TestEveryRecordedHost compares all hosts of all tapes with their text.
func TestEveryRecordedHost(t *testing.T) {
	count := 0
	eachTape(t, func(version string, tape tapes.Tape) {
		want := readRecorded(t, tape)
		if want.kind != "value" || tape.Method != "one.host.info" && tape.Method != "one.hostpool.info" {
			return
		}
		document := strings.TrimPrefix(want.value, "string:")
		var hosts []Host
		var err error
		if tape.Method == "one.host.info" {
			hosts = make([]Host, 1)
			id := numbers(document, `<HOST><ID>(\d+)</ID>`)[0]
			hosts[0], err = playing(t, version, tape).Host(ctx(t), id)
		} else {
			hosts, err = playing(t, version, tape).Hosts(ctx(t))
		}
		texts := strings.Split(document, "<HOST><ID>")[1:]
		if err != nil || len(texts) != len(hosts) {
			t.Fatalf("%s %s: %d hosts, want %d, %v", version, tape.Name, len(hosts), len(texts), err)
		}
		for i, h := range hosts {
			name := fmt.Sprintf("%s %s host %d ", version, tape.Name, h.ID)
			text := "<HOST><ID>" + texts[i]
			same(t, name+"ID", text, `<HOST><ID>(\d+)</ID>`, h.ID)
			same(t, name+"state", text, `<STATE>(\d+)</STATE>`, int(h.State))
			vms := regexp.MustCompile(`<VMS>.*</VMS>`).FindString(text)
			same(t, name+"VMs", vms, `<ID>(\d+)</ID>`, h.VMs...)
			same(t, name+"memory", text, `<MAX_MEM>(\d+)</MAX_MEM>`, int(h.MaxMemory))
			same(t, name+"cluster", text, `<CLUSTER_ID>(-?\d+)</CLUSTER_ID>`, h.ClusterID)
			if m := regexp.MustCompile(`state (\d)$`).FindStringSubmatch(tape.Description); m != nil && m[1] != strconv.Itoa(int(h.State)) {
				t.Errorf("%s: state %d, recorded as %s", name, h.State, tape.Description)
			}
			count++
		}
	})
	if count < 80 {
		t.Errorf("only %d hosts", count)
	}
}
