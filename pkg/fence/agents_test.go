package fence

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"one-ft/pkg/process"
	"one-ft/test/process/rigs"
)

// Each agent is refused by its name, known as one that switches power, or judged by its metadata; never two of them.
func TestAgentsByName(t *testing.T) {
	for _, agent := range powerAgents() {
		if why := unfit(agent); why != "" || !ValidAgent(agent) {
			t.Errorf("%s: %s", agent, why)
		}
	}
	if all := slices.Sorted(slices.Values(powerAgents())); len(slices.Compact(all)) != len(powerAgents()) {
		t.Error("an agent is listed twice")
	}
}

// The agents that are installed here are judged by their names as their metadata say; those that are refused by their names
// alone look like agents that switch power.
func TestAgentsByMetadata(t *testing.T) {
	t.Parallel()
	rigs.Need(t, "fence-agents", "fence_ipmilan")
	all, err := filepath.Glob("/usr/sbin/fence_*")
	if err != nil || len(all) < 50 {
		t.Fatalf("%d agents are installed: %v", len(all), err)
	}
	looksLikePower := []string{"fence_evacuate", "fence_crosslink", "fence_dummy", "fence_skalar"}
	process.Each(len(all), 2, func(i int) {
		agent := filepath.Base(all[i])
		if unfit(agent) == "" && i%10 > 0 { // all of them take half a minute
			return
		}
		out, err := exec.CommandContext(t.Context(), all[i], "-o", "metadata").Output()
		if err != nil {
			if slices.Contains(powerAgents(), agent) {
				t.Errorf("%s: %v", agent, err)
			}
			return
		}
		switch why := lacking(out); {
		case unfit(agent) == "" && !slices.Contains(powerAgents(), agent):
			t.Logf("%s is not known by its name, and its metadata lack: %q", agent, why)
		case (why != "") != (unfit(agent) != "") && !slices.Contains(looksLikePower, agent):
			t.Errorf("%s: by its name %q, by its metadata %q", agent, unfit(agent), why)
		}
		for _, n := range (Device{Agent: agent}).needs() {
			if !strings.Contains(string(out), `name="`+n.param+`"`) || !strings.Contains(string(out), "/"+n.program+`"`) {
				t.Errorf("%s does not run %s", agent, n.program)
			}
		}
		for _, line := range strings.Split(string(out), "<parameter ")[1:] {
			name, _, _ := strings.Cut(strings.TrimPrefix(line, `name="`), `"`)
			boolean := strings.Contains(line, `type="boolean"`)
			if boolean != isSwitch(plainParam(name)) && CheckParam(name, "1") == nil {
				t.Errorf("%s: %s is a switch: %v", agent, name, boolean)
			}
		}
	})
}

// The table of the README has each agent of the package once, refused as here.
func TestReadmeNamesAgents(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "### Which agent proves what")
	table, _, _ := strings.Cut(rest, "\n#")
	var named []string
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.HasPrefix(cells[1], "---") || cells[1] == " agents " {
			continue
		}
		for _, name := range strings.Split(strings.TrimSpace(cells[1]), ", ") {
			if refused := strings.TrimSpace(cells[4]) == "refused"; refused != (unfit("fence_"+name) != "") {
				t.Errorf("%s is refused: %v", name, refused)
			}
			named = append(named, "fence_"+name)
		}
	}
	slices.Sort(named)
	if n := len(slices.Compact(slices.Clone(named))); n != 84 || len(named) != n {
		t.Errorf("%d agents, %d different ones", len(named), n)
	}
	for _, agent := range powerAgents() {
		if _, found := slices.BinarySearch(named, agent); !found && agent != "fence_virt" && agent != "fence_xvm" {
			t.Errorf("%s is missing", agent)
		}
	}
}

func TestLacking(t *testing.T) {
	meta := func(actions string) string {
		return `<?xml version="1.0" ?><resource-agent name="x"><parameters/><actions>` + actions + `</actions></resource-agent>`
	}
	for text, want := range map[string]string{
		meta(`<action name="on" automatic="0"/><action name="off" /><action name="reboot" /><action name="status" />`): "",
		meta(`<action name="off" /><action name="status" />`):                                                          "",
		meta(`<action name="on" automatic="1"/><action name="off" /><action name="status" />`):                         "not power",
		meta(`<action name="on" on_target="1" automatic="0"/><action name="off" /><action name="status" />`):           "not power",
		meta(`<action name="off" /><action name="monitor" />`):                                                         hasNoStatus,
		meta(`<action name="reboot" /><action name="status" />`):                                                       hasNoOff,
		meta(""):                           hasNoOff,
		"":                                 "",
		"usage: fence_x node":              "",
		"<other/>":                         "",
		meta(`<action name="off" />`)[:99]: "",
	} {
		if why := lacking([]byte(text)); (want == "") != (why == "") || !strings.Contains(why, want) {
			t.Errorf("%s: %q, want %q", text, why, want)
		}
	}
}

// A switch that is off is not passed, whatever its spelling; what agents read is, and so is what is no switch.
func TestSwitches(t *testing.T) {
	for line, passed := range map[string]bool{
		"fence_apc use_sudo 0": false, "fence_apc use-sudo No": false, "fence_apc ssh OFF": false, "fence_apc SSL false": false, "fence_apc ssl 1": true,
		"fence_zvmip ssl 0": true, "fence_zvmip disable_ssl 0": false, "fence_ilo3 lanplus 0": true, "fence_ipmilan verbose 0": true,
		"fence_apc plug 0": true, "fence_apc power_wait 0": true, "fence_aws disable_timeout false": true, "fence_apc port_as_ip off": false,
	} {
		w := strings.Fields(line)
		d := &device{Device: Device{Kind: KindAgent, Agent: w[0], Params: map[string]string{w[1]: w[2]}}}
		if got := strings.Contains(string(agentProgram(d, actionStatus).Stdin), w[1]+"="+w[2]+"\n"); got != passed {
			t.Errorf("%s: passed %v", line, got)
		}
	}
	for _, bad := range []string{"lanplus y", "ssl enabled", "use_sudo 2", "use-sudo -1", "lanplus", "delay 0", "delay 5", "DELAY 5", "network_fencing 0", "network-fencing 1"} {
		name, value, _ := strings.Cut(bad, " ")
		if CheckParam(name, value) == nil {
			t.Errorf("%s is passed to agents", bad)
		}
	}
}
