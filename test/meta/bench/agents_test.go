package bench

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"one-ft/pkg/fence"
	"one-ft/pkg/process"
	"one-ft/test/process/rigs"
)

// agentTime bounds one call of an agent here; what it has by itself are limits of 2 s.
const agentTime = 10 * time.Second

// TestScaleOfAgents asks and runs each installed fence agent where there is no device: without an address, without a plug, at a
// port that refuses, and at a host whose packets are dropped. None of them may be taken for a proof, and each has to end in
// its time. The table of pkg/fence/README.md is made of what it prints.
func TestScaleOfAgents(t *testing.T) {
	if !*full {
		return
	}
	rigs.Need(t, "fence-agents", "fence_ipmilan")
	rigs.Need(t, rigs.NetPackages, "ip", "nft")
	rigs.NeedRoot(t)
	agents, err := filepath.Glob("/usr/sbin/fence_*")
	if err != nil || len(agents) == 0 {
		t.Fatalf("%d agents, %v", len(agents), err)
	}
	network := rigs.StartNet(t, 1)
	defer network.Drop(network.Hosts[0], network.FE)()
	cases := agentCases(network.Hosts[0].IP)
	rows := make([]string, len(agents))
	var mu sync.Mutex // one failure at a time
	process.Each(len(agents), 2, func(i int) {
		agent := filepath.Base(agents[i])
		rows[i] = agent
		for _, c := range cases {
			d := fence.Device{Kind: fence.KindAgent, Agent: agent, Params: c.params}
			wrong, row := withoutDevice(t.Context(), network.FE, d)
			rows[i] += "\t" + row
			if wrong != "" {
				mu.Lock()
				t.Errorf("%s, %s: %s: %s", agent, c.name, wrong, row)
				mu.Unlock()
			}
		}
	})
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 8, 2, ' ', 0)
	fmt.Fprint(w, "agent")
	for _, c := range cases {
		fmt.Fprint(w, "\t"+c.name)
	}
	fmt.Fprintln(w, "\n"+strings.Join(rows, "\n"))
	w.Flush()
	t.Log("\n" + table.String())
}

type agentCase struct {
	name   string
	params map[string]string
}

// agentCases are the parameters that are tried. dropped is the address of a host that gets packets and whose answers are lost.
func agentCases(dropped string) []agentCase {
	with := func(params map[string]string, more ...string) map[string]string {
		params = maps.Clone(params)
		for _, m := range more {
			name, value, _ := strings.Cut(m, "=")
			params[name] = value
		}
		return params
	}
	limits := map[string]string{"login_timeout": "2", "shell_timeout": "2", "power_timeout": "2"}
	account := with(limits, "username=admin", "password=x1y2z3a4")
	return []agentCase{
		{"nothing", limits},
		{"no plug", with(account, "ip=127.0.0.1", "ipport=1")},
		{"refused", with(account, "ip=127.0.0.1", "ipport=1", "plug=1")},
		{"dropped", with(account, "ip="+dropped, "plug=1")},
	}
}

// withoutDevice asks an agent for the status and then tries to prove the host off, in the network of a node. wrong is what must
// not be; row is what was seen.
func withoutDevice(ctx context.Context, node *rigs.Node, d fence.Device) (wrong, row string) {
	s := fence.Settings{
		Levels: []fence.Level{{Devices: []fence.Device{d}}}, Timeout: agentTime, Attempts: 1,
		Run: func(ctx context.Context, limit time.Duration, p process.Program) process.Result {
			inside := node.Command(ctx, append([]string{p.Path}, p.Args...)...)
			p.Path, p.Args = inside.Path, inside.Args[1:]
			return process.Run(ctx, limit, p)
		},
	}
	host := fence.Host{ID: 3, Name: "node3"}
	start := time.Now()
	list, err := fence.Status(ctx, host, s)
	asked := time.Since(start)
	if err != nil || len(list) != 1 {
		return "it cannot be asked", fmt.Sprint(err)
	}
	start = time.Now()
	_, err = fence.Prove(ctx, host, s)
	proven := time.Since(start)
	row = fmt.Sprintf("%.1f s, %.1f s: %s", asked.Seconds(), proven.Seconds(), lastWords(list[0].Err))
	switch {
	case err == nil:
		wrong = "it is a proof"
	case list[0].Power != fence.PowerUnknown || list[0].Err == nil:
		wrong = fmt.Sprintf("its status is %s", list[0].Power)
	case asked > agentTime+5*time.Second || proven > 2*agentTime+10*time.Second:
		wrong = "it takes too long"
	case strings.Contains(err.Error()+list[0].Err.Error(), "x1y2z3a4"):
		wrong = "it shows the password"
	}
	return wrong, row
}

// lastWords are the end of what an agent said, without its advice to read its usage.
func lastWords(err error) string {
	said := ""
	for _, line := range strings.Split(fmt.Sprint(err), " / ") {
		if !strings.HasSuffix(line, "'-h' for usage") {
			said = line
		}
	}
	if _, message, found := strings.Cut(said, "ERROR: "); found {
		said = message
	}
	words := []rune(said)
	return string(words[max(0, len(words)-70):])
}
