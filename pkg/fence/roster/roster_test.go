package roster_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"one-ft/pkg/config"
	"one-ft/pkg/fence"
	"one-ft/pkg/fence/roster"
	"one-ft/pkg/one"
	"one-ft/pkg/text"
)

const (
	header = "host,agent,address,user,password,lanplus\n"
	row3   = "node3,fence_ipmilan,10.0.0.11,admin,s3cret,1\n"
)

// joined are errors, a line for each.
func joined(errs []error) string {
	var lines []string
	for _, err := range errs {
		lines = append(lines, err.Error())
	}
	return strings.Join(lines, "\n")
}

func TestParse(t *testing.T) {
	want := []roster.BMC{
		{Line: 2, Host: "node3", Agent: "fence_ipmilan", Params: map[string]string{"ip": "10.0.0.11", "username": "admin", "lanplus": "1"}, Password: "s3cret"},
		{Line: 4, Host: "4", Agent: "fence_redfish", Params: map[string]string{"ip": "%h-bmc"}, Password: `a,"b`},
	}
	list := header + row3 + "\n" + `4,fence_redfish,%h-bmc,,"a,""b",` + "\n"
	for name, list := range map[string]string{
		"plain": list, "CRLF": strings.ReplaceAll(list, "\n", "\r\n"), "a byte order mark": "\uFEFF" + list, "no line break": strings.TrimSuffix(list, "\n"),
		"capitals": strings.Replace(list, "host,agent", "Host,AGENT", 1), "names of agents' parameters": strings.Replace(list, "lanplus", "Lanplus", 1),
	} {
		got, errs := roster.Parse("hosts.csv", []byte(list))
		if len(errs) > 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v\n%s", name, got, joined(errs))
		}
	}
	if shown := fmt.Sprintf("%v %+v %#v", want, want, want); strings.Contains(shown, "s3cret") {
		t.Errorf("a password is printed: %s", shown)
	}
}

func TestParseRefuses(t *testing.T) {
	const none = "hosts.csv: there is no host in the list; allowed is a first line such as "
	for name, c := range map[string]struct{ list, want string }{
		"empty":                 {"", none},
		"blank lines":           {"\n\n", none},
		"no host":               {header, none},
		"no header":             {row3, "hosts.csv:1: no column host; allowed is a first line such as host,agent,"},
		"a column is missing":   {"host,agent,address,user\n", "hosts.csv:1: no column password; allowed"},
		"semicolons":            {"host;agent;address;user;password\nx\n", "hosts.csv:1: the columns are separated by semicolons; allowed is commas"},
		"a column twice":        {"host,agent,address,user,password,user\n", "hosts.csv:1: user: this column is there twice"},
		"a column by two names": {"host,agent,address,user,password,ipaddr\n", "hosts.csv:1: ipaddr: it means the same as column address; allowed is one of both"},
		"another secret":        {"host,agent,address,user,password,community\n", "hosts.csv:1: community: only the password has a file of its own, and this is a secret, too"},
		"no name of a column":   {"host,agent,address,user,password,\n", "hosts.csv:1: the name of column 6 is none; allowed is the name of a parameter"},
		"a blank in a name":     {"host,agent,address,user,password, lanplus\n", "hosts.csv:1: the name of column 6 is none"},
		"too few cells":         {header + "node3,fence_ipmilan\n", "hosts.csv:2: 2 cells; allowed is 6 as in the first line"},
		"a comma in a password": {header + "node3,fence_ipmilan,10.0.0.11,admin,s3,cret,1\n", "hosts.csv:2: 7 cells; allowed is 6"},
		"an open quote":         {header + row3 + "node4,\"fence_ipmilan,10.0.0.12,admin,s3cret,1\nnode5\n", "hosts.csv:3: quotes that do not fit; allowed"},
		"a quote inside":        {header + "node3,fence_ipmilan,10.0.0.11,admin,s3\"cret,1\n", "hosts.csv:2: quotes that do not fit"},
		"quotes in the header":  {"host,\"agent\n", "hosts.csv:1: quotes that do not fit"},
		"two lines in a cell":   {header + "node3,fence_ipmilan,10.0.0.11,admin,\"s3\r\ncret\",1\n", "hosts.csv:2: password: a line break or a character that cannot be printed"},
		"lines end with CR":     {strings.ReplaceAll(header+row3, "\n", "\r"), "hosts.csv:1: lines end with CR alone; allowed is LF or CRLF at the end of each line"},
		"UTF-16":                {"\xff\xfeh\x00o\x00s\x00t\x00", "hosts.csv:1: not UTF-8; allowed is UTF-8"},
		"Latin 1":               {header + row3 + "node4,fence_ipmilan,10.0.0.12,admin,\xfc,1\n", "hosts.csv:3: not UTF-8"},
		"a control character":   {header + "node\x1b[2J3,fence_ipmilan,10.0.0.11,admin,s3cret,1\n", "hosts.csv:2: host: a line break or a character that cannot be printed"},
		"a blank":               {header + "node3 ,fence_ipmilan,10.0.0.11,admin,s3cret,1\n", "hosts.csv:2: host: it begins or ends with a blank"},
		"no name of a host":     {header + ",fence_ipmilan,10.0.0.11,admin,s3cret,1\n", "hosts.csv:2: host: it is empty"},
		"no address":            {header + "node3,fence_ipmilan,,admin,s3cret,1\n", "hosts.csv:2: address: it is empty"},
		"no agent":              {header + "node3,,10.0.0.11,admin,s3cret,1\n", "hosts.csv:2: agent: agent \"\": allowed is the name of a fence agent"},
		"a path":                {header + "node3,/bin/sh,10.0.0.11,admin,s3cret,1\n", "hosts.csv:2: agent: agent \"/bin/sh\": allowed is"},
		"storage":               {header + "node3,fence_scsi,10.0.0.11,admin,s3cret,1\n", "hosts.csv:2: agent: fence_scsi is no proof that the host is off: it cuts off the storage"},
		"a switch":              {header + "node3,fence_ipmilan,10.0.0.11,admin,s3cret,maybe\n", "hosts.csv:2: lanplus: allowed are 1 and 0"},
		"a percent sign":        {header + "node3,fence_ipmilan,bmc-%H,admin,s3cret,1\n", "hosts.csv:2: address: an unknown % in the value; allowed is %h for the host name"},
		"what one-ft sets":      {"host,agent,address,user,password,action\nnode3,fence_ipmilan,10.0.0.11,admin,s3cret,off\n", "hosts.csv:2: action: it is set by one-ft"},
		"larger":                {header + strings.Repeat(row3, roster.MaxSize/len(row3)), "hosts.csv: the list is larger; allowed is at most 1048576 bytes"},
		"all lines at once":     {header + "node3\nnode4,fence_scsi,a,b,s3cret,1\nnode5,fence_ipmilan,,b,s3cret,2\n", "hosts.csv:4: lanplus: allowed are 1 and 0"},
	} {
		got, errs := roster.Parse("hosts.csv", []byte(c.list))
		said := joined(errs)
		if got != nil || !strings.Contains(said, c.want) || strings.Contains(said, "s3cret") {
			t.Errorf("%s: %+v\n%s", name, got, said)
		}
		if n := strings.Count(said, "\n") + 1; name == "all lines at once" && n != 4 || n != len(errs) {
			t.Errorf("%s: %d lines\n%s", name, n, said)
		}
	}
}

// configOf is a one-ft.yaml.
func configOf(t *testing.T, yaml string) config.File {
	t.Helper()
	path := t.TempDir() + "/one-ft.yaml"
	if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := config.Load(path, "")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// hostsOf are the hosts 0 to 4, node0 to node4.
func hostsOf() (hosts []one.Host) {
	for id := range 5 {
		hosts = append(hosts, one.Host{ID: id, Name: fmt.Sprintf("node%d", id), Cluster: "default", Template: map[string]string{}})
	}
	return hosts
}

const (
	entry3 = `fence:
  - hosts: ["node3"]
    levels: [{devices: [{agent: fence_ipmilan, params: {ipaddr: 10.0.0.11, login: admin, lanplus: "1"}, password_file: /etc/one/fence/node3}]}]
`
	shared = `fence:
  - hosts: ["node*"]
    levels: [{name: bmc, devices: [{agent: fence_ipmilan, params: {ip: "%h-bmc", username: admin, lanplus: "1"}, password_file: /etc/one/fence/all}]}]
`
	manual = "fence: [{clusters: [default], levels: [{devices: [{manual: true}]}]}]\n"
	two    = "fence: [{hosts: [node3], levels: [{devices: [{agent: fence_ipmilan, params: {ip: 10.0.0.11, username: admin, lanplus: \"1\"}}, {command: [/a]}]}]}]\n"
)

func TestPlan(t *testing.T) {
	agent3 := config.HostAgent{Host: "node3", Agent: "fence_ipmilan", Params: map[string]string{"ip": "10.0.0.11", "username": "admin", "lanplus": "1"}, SecretFile: "/etc/one/fence/node3"}
	secret3 := roster.Secret{Path: "/etc/one/fence/node3", Password: "s3cret"}
	open3 := agent3
	open3.SecretFile = ""
	odd := hostsOf()
	odd[3].Name = "../no de"
	for name, c := range map[string]struct {
		rows, yaml string
		secrets    map[string]string
		hosts      func([]one.Host) []one.Host
		want       roster.Change
		err        string
	}{
		"new":                     {rows: row3, want: roster.Change{Agents: []config.HostAgent{agent3}, Secrets: []roster.Secret{secret3}}},
		"by its ID":               {rows: strings.Replace(row3, "node3", "3", 1), want: roster.Change{Agents: []config.HostAgent{agent3}, Secrets: []roster.Secret{secret3}}},
		"without a password":      {rows: strings.Replace(row3, "s3cret", "", 1), want: roster.Change{Agents: []config.HostAgent{open3}}},
		"the password is there":   {rows: row3, secrets: map[string]string{"/etc/one/fence/node3": "s3cret"}, want: roster.Change{Agents: []config.HostAgent{agent3}}},
		"both are there":          {rows: row3, yaml: entry3, secrets: map[string]string{"/etc/one/fence/node3": "s3cret"}, want: roster.Change{Kept: []string{"host 3 (node3)"}}},
		"the password is missing": {rows: row3, yaml: entry3, want: roster.Change{Secrets: []roster.Secret{secret3}, Kept: []string{"host 3 (node3)"}}},
		"by a pattern":            {rows: strings.Replace(row3, "10.0.0.11", "node3-bmc", 1), yaml: shared, secrets: map[string]string{"/etc/one/fence/all": "s3cret"}, want: roster.Change{Kept: []string{"host 3 (node3)"}}},
		"a name that is no file": {rows: strings.Replace(row3, "node3", "3", 1), hosts: func([]one.Host) []one.Host { return odd }, want: roster.Change{
			Agents:  []config.HostAgent{{Host: "../no de", Agent: "fence_ipmilan", Params: agent3.Params, SecretFile: "/etc/one/fence/host@3"}},
			Secrets: []roster.Secret{{Path: "/etc/one/fence/host@3", Password: "s3cret"}}}},
		"unknown":          {rows: strings.Replace(row3, "node3", "node9", 1), err: `hosts.csv:2: host: oned knows no host "node9"; onehost list shows the hosts`},
		"an unknown ID":    {rows: strings.Replace(row3, "node3", "33", 1), err: `hosts.csv:2: host: oned knows no host "33"`},
		"twice":            {rows: row3 + strings.Replace(row3, "node3", "3", 1), err: "hosts.csv:3: host: host 3 (node3) is in line 2 already"},
		"one device":       {rows: row3 + strings.NewReplacer("node3", "node4", "admin", "root").Replace(row3), err: "hosts.csv:3: address: the same device as in line 2"},
		"another password": {rows: row3, secrets: map[string]string{"/etc/one/fence/node3": "other"}, err: "hosts.csv:2: password: /etc/one/fence/node3 has another password for host 3 (node3)"},
		"an open password": {rows: row3, secrets: map[string]string{"/etc/one/fence/node3": ""}, err: "hosts.csv:2: password: it is open"},
		"another address":  {rows: row3, yaml: shared, secrets: map[string]string{"/etc/one/fence/all": "s3cret"}, err: "hosts.csv:2: host: one-ft.yaml fences host 3 (node3) in another way, by the entry with hosts: node*; take it"},
		"no password here": {rows: strings.NewReplacer("10.0.0.11", "node3-bmc", "s3cret", "").Replace(row3), yaml: shared, err: "in another way, by the entry with hosts: node*"},
		"the other way":    {rows: row3, yaml: manual, err: "in another way, by the entry with clusters: default"},
		"two devices":      {rows: row3, yaml: two, err: "in another way, by the entry with hosts: node3"},
		"its file is gone": {rows: strings.Replace(row3, "10.0.0.11", "node3-bmc", 1), yaml: shared, err: "hosts.csv:2: password: one-ft.yaml names /etc/one/fence/all for host 3 (node3), and it is missing"},
		"the template wins": {rows: row3, err: "the template of host 3 (node3) has FENCE_AGENT, which wins", hosts: func(h []one.Host) []one.Host {
			h[3].Template["FENCE_AGENT"] = "fence_apc"
			return h
		}},
		"a service": {rows: row3, err: "host 3 (node3) stands for a service (vcenter), which is never fenced", hosts: func(h []one.Host) []one.Host {
			h[3].VMDriver = "vcenter"
			return h
		}},
		"one name": {rows: row3, err: "host 4 (node3) and host 3 (node3) have the same name", hosts: func(h []one.Host) []one.Host {
			h[4].Name = "node3"
			return h
		}},
	} {
		list, errs := roster.Parse("hosts.csv", []byte(header+c.rows))
		if len(errs) > 0 {
			t.Fatalf("%s: %s", name, joined(errs))
		}
		facts := roster.Facts{File: "hosts.csv", Hosts: hostsOf(), Config: configOf(t, c.yaml), SecretDir: "/etc/one/fence", Secret: func(path string) (string, error) {
			secret, there := c.secrets[path]
			if !there {
				return "", fmt.Errorf("open: %w", fs.ErrNotExist)
			} else if secret == "" {
				return "", errors.New("it is open")
			}
			return secret, nil
		}}
		if c.hosts != nil {
			facts.Hosts = c.hosts(facts.Hosts)
		}
		got, errs := roster.Plan(list, facts)
		said := joined(errs)
		if (c.err == "") != (len(errs) == 0) || !strings.Contains(said, c.err) || strings.Contains(said, "s3cret") || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v\n%s", name, got, said)
		}
	}
}

// FuzzParse: errors are one printable line each, and what is taken passes every check that fencing makes itself.
func FuzzParse(f *testing.F) {
	for _, list := range []string{"", header, header + row3, "\uFEFF" + header + row3, strings.ReplaceAll(header+row3, "\n", "\r\n"), header + "a,\"b\nc\"", header + `a,b,c,"d""e",f,g`, "host;agent\n"} {
		f.Add([]byte(list))
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		got, errs := roster.Parse("hosts.csv", list)
		if (len(got) == 0) == (len(errs) == 0) {
			t.Fatalf("%q: %v, %s", list, got, joined(errs))
		}
		for _, err := range errs {
			var ours *config.Error
			if text.Printable(err.Error()) != err.Error() || !errors.As(err, &ours) || ours.File != "hosts.csv" {
				t.Errorf("%q: %q", list, err)
			}
		}
		for _, b := range got {
			params := maps.Clone(b.Params)
			if b.Password != "" {
				params["password"] = string(b.Password)
			}
			d := fence.Device{Kind: fence.KindAgent, Agent: b.Agent, Params: params}
			if err := fence.Check([]fence.Level{{Devices: []fence.Device{d}}}); err != nil || b.Host == "" || b.Params["ip"] == "" || b.Line < 2 || !utf8.ValidString(b.Host) {
				t.Errorf("%q: %+v, %v", list, b, err)
			}
			for name := range b.Params {
				if fence.SecretParam(name) {
					t.Errorf("%q: the secret %s would stand in one-ft.yaml", list, name)
				}
			}
		}
	})
}

// TestReadme: the list and the pattern that are shown work as they are.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(first string) string {
		_, rest, _ := strings.Cut(string(readme), "\n    "+first)
		var lines strings.Builder
		for line := range strings.Lines("    " + first + rest) {
			if !strings.HasPrefix(line, "    ") {
				break
			}
			lines.WriteString(line[4:])
		}
		return lines.String()
	}
	list, errs := roster.Parse("hosts.csv", []byte(block("host,agent,")))
	if len(list) != 2 || list[0].Password != "one, with a comma" || list[1].Params["ip"] != "node12-bmc" {
		t.Errorf("%+v\n%s", list, joined(errs))
	}
	entry, there := configOf(t, block("fence:\n")).FenceFor("node7", "")
	levels, err := entry.LevelsFor("node7", 7)
	if !there || err != nil || levels[0].Devices[0].Params["ip"] != "node7-bmc" {
		t.Errorf("%+v, %v", levels, err)
	}
}
