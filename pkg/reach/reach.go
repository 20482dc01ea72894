// Package reach asks whether this front-end reaches its hosts: a TCP connection to the port of each host's sshd, which the
// drivers of oned need anyway, at the address that the ssh client of their user takes for the name of the host.
//
// It only asks. Nothing is sent, and what an answer means for a recovery is decided elsewhere.
package reach

import (
	"context"
	"errors"
	"net"
	"path"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"one-ft/pkg/failfast"
)

// Answer is what the way to a host says; its values are stable in JSON.
type Answer string

// The answers.
const (
	Unknown   Answer = "unknown"   // it could not be asked: Way.Cause
	Reachable Answer = "reachable" // its sshd takes connections
	Refused   Answer = "refused"   // the machine answers, and has no sshd there
	Mute      Answer = "mute"      // the kernel takes connections, and sshd says nothing: only with Asker.Banner
	Silent    Answer = "silent"
)

// Alive reports whether the machine has answered.
func (a Answer) Alive() bool { return a == Reachable || a == Refused || a == Mute }

// Dumb reports whether nothing on the machine has said a word: it is silent, or only its kernel took the connection.
func (a Answer) Dumb() bool { return a == Silent || a == Mute }

// Cause is why nothing is known of a host; its values are stable in JSON.
type Cause string

// The causes.
const (
	CauseSkipped Cause = "skipped" // the configuration says so: survey.skip
	CauseProxy   Cause = "proxy"   // ssh connects through ProxyJump or ProxyCommand
	CauseName    Cause = "name"    // its name has no address
	CauseSSH     Cause = "ssh"     // ssh does not tell how it would connect
	CauseLocal   Cause = "local"   // this machine cannot open a connection, such as without a free file descriptor
	CauseTime    Cause = "time"    // the context of the question ended first
)

// Way is the way to a host.
type Way struct {
	Host    int    `json:"host"`
	Name    string `json:"name"`
	Answer  Answer `json:"answer"`
	Cause   Cause  `json:"cause,omitempty"`   // of Unknown
	Address string `json:"address,omitempty"` // host:port that was asked; "" where there is none
	Err     error  `json:"-"`                 // of Unknown and Silent, for people
}

// Target is a host that is asked: its ID and name in oned.
type Target struct {
	ID   int
	Name string
}

// The times of a question. A choice: a machine in the same building answers within milliseconds, a lost SYN is sent again
// after 1 s (Linux, tcp(7)), and both connections are given up at the same time, so that its answer is still heard.
const (
	connectLimit = time.Second
	secondAfter  = 300 * time.Millisecond
	bannerLimit  = time.Second
	// resolveAllLimit bounds the questions to ssh where nothing is remembered: one takes 10 to 30 ms of a core (measured).
	resolveAllLimit = 10 * time.Second
	// atOnce is how many hosts are asked at the same time: 1,024 silent ones still take no longer than one.
	atOnce = 1024
)

// Dialer opens a TCP connection, as net.Dialer.DialContext does.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Asker asks the way to hosts. It is safe for concurrent use.
type Asker struct {
	// Resolve asks ssh how it would connect to these names (failfast.Client.ResolveWays).
	Resolve func(ctx context.Context, names []string) []failfast.Answer
	Dial    Dialer
	// Port, when not 0, is asked instead of that of ssh, at the host itself: also of hosts behind a proxy of ssh.
	Port int
	// Skip are shell patterns (path.Match) of the names of hosts that are not asked.
	Skip []string
	// Banner: what sshd says first is waited for, too.
	Banner bool
	// Memory, when set, remembers how ssh connects.
	Memory *Memory
	// Learned, when set, is called when ssh has said how it connects, before those hosts are asked: whoever ends soon
	// saves the memory there.
	Learned func()
}

// Inquiry is a question to many hosts that is under way.
type Inquiry struct {
	Begun time.Time
	ways  map[int]*pending
}

type pending struct {
	done chan struct{}
	way  Way
}

// Ask begins to ask hosts. Nothing waits; the questions end with the context.
func (a Asker) Ask(ctx context.Context, hosts []Target) *Inquiry {
	q := &Inquiry{Begun: time.Now(), ways: make(map[int]*pending, len(hosts))}
	list := make([]*pending, len(hosts))
	for i, h := range hosts {
		list[i] = &pending{done: make(chan struct{}), way: Way{Host: h.ID, Name: h.Name, Answer: Unknown, Cause: CauseTime}}
		q.ways[h.ID] = list[i]
	}
	go a.ask(ctx, list)
	return q
}

// Asked reports whether a host is among those that are asked.
func (q *Inquiry) Asked(id int) bool {
	_, asked := q.ways[id]
	return asked
}

// Of waits for what is known of a host: Unknown when the context ends first, or when it was not asked.
func (q *Inquiry) Of(ctx context.Context, id int) Way {
	p, asked := q.ways[id]
	if !asked {
		return Way{Host: id, Answer: Unknown, Cause: CauseSkipped}
	}
	select {
	case <-p.done:
		return p.way
	case <-ctx.Done():
		return Way{Host: id, Name: p.way.Name, Answer: Unknown, Cause: CauseTime, Err: context.Cause(ctx)}
	}
}

// All waits for all hosts, in the order of their IDs.
func (q *Inquiry) All(ctx context.Context) []Way {
	ids := make([]int, 0, len(q.ways))
	for id := range q.ways {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	ways := make([]Way, len(ids))
	for i, id := range ids {
		ways[i] = q.Of(ctx, id)
	}
	return ways
}

// ask asks all, those first of which it is remembered how ssh connects.
func (a Asker) ask(ctx context.Context, list []*pending) {
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	defer wg.Wait()
	begin := func(p *pending, how route) {
		wg.Go(func() {
			defer close(p.done)
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
				a.one(ctx, &p.way, how)
			case <-ctx.Done():
			}
		})
	}
	var unknown []*pending
	for _, p := range list {
		switch how, known := a.Memory.route(p.way.Name); {
		case a.skips(p.way.Name):
			p.way.Cause = CauseSkipped
			close(p.done)
		case a.Port != 0:
			begin(p, route{Address: net.JoinHostPort(p.way.Name, strconv.Itoa(a.Port)), Known: how.Known})
		case known:
			begin(p, how)
		default:
			unknown = append(unknown, p)
		}
	}
	if len(unknown) == 0 {
		return
	}
	names := make([]string, len(unknown))
	for i, p := range unknown {
		names[i] = p.way.Name
	}
	limited, cancel := context.WithTimeout(ctx, resolveAllLimit)
	defer cancel()
	answers := a.Resolve(limited, names)
	routes := make([]route, len(answers))
	for i, answer := range answers {
		if routes[i] = routeOf(answer.Settings); answer.Err == nil && !answer.Barred() {
			routes[i] = a.Memory.learn(names[i], routes[i])
		}
	}
	if a.Learned != nil {
		a.Learned()
	}
	for i, p := range unknown {
		if err := answers[i].Err; err != nil {
			p.way.Cause, p.way.Err = CauseSSH, err
			close(p.done)
			continue
		}
		begin(p, routes[i])
	}
}

// skips reports whether a host is not asked.
func (a Asker) skips(name string) bool {
	return slices.ContainsFunc(a.Skip, func(pattern string) bool { ok, _ := path.Match(pattern, name); return ok })
}

// one asks one host.
func (a Asker) one(ctx context.Context, way *Way, how route) {
	if how.Proxy {
		way.Cause = CauseProxy
		return
	}
	way.Address = how.Address
	answer, peer, err := a.knock(ctx, how.Address)
	if noAddress(err) && how.Known != "" { // the resolver is away, maybe together with the network: where it was last
		way.Address = how.Known
		answer, peer, err = a.knock(ctx, how.Known)
	}
	way.Answer, way.Err, way.Cause = answer, err, ""
	switch {
	case answer != Unknown:
		if peer != "" && answer == Reachable {
			a.Memory.met(way.Name, peer)
		}
	case noAddress(err):
		way.Cause = CauseName
	case ctx.Err() != nil:
		way.Cause = CauseTime
	default:
		way.Cause = CauseLocal
	}
}

// knock connects, and again while the first connection waits: the first of them that is answered counts.
func (a Asker) knock(ctx context.Context, address string) (answer Answer, peer string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	end := time.Now().Add(secondAfter + connectLimit)
	type result struct {
		answer Answer
		peer   string
		err    error
	}
	results := make(chan result, 2)
	try := func() {
		answer, peer, err := a.connect(ctx, address, end)
		results <- result{answer, peer, err}
	}
	go try()
	second := time.NewTimer(secondAfter)
	defer second.Stop()
	for ended := 0; ; {
		select {
		case r := <-results:
			if ended++; r.answer != Silent || ended == 2 {
				return r.answer, r.peer, r.err
			}
		case <-second.C:
			go try()
		case <-ctx.Done():
			return Unknown, "", ctx.Err()
		}
	}
}

// connect connects once, until end at the latest.
func (a Asker) connect(ctx context.Context, address string, end time.Time) (answer Answer, peer string, err error) {
	limited, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	conn, err := a.Dial(limited, "tcp", address)
	if err != nil {
		return classify(err), "", err
	}
	defer conn.Close()
	if tcp, is := conn.RemoteAddr().(*net.TCPAddr); is {
		peer = tcp.String()
	}
	if a.Banner {
		return banner(ctx, conn), peer, nil
	}
	return Reachable, peer, nil
}

// banner waits for the first byte of what an ssh server says at once (RFC 4253, 4.2). One that closes instead has no
// room for another connection (MaxStartups): it runs.
func banner(ctx context.Context, conn net.Conn) Answer {
	deadline := time.Now().Add(bannerLimit)
	if end, has := ctx.Deadline(); has && end.Before(deadline) {
		deadline = end
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := conn.SetReadDeadline(deadline); err != nil {
		return Reachable
	}
	if _, err := conn.Read(make([]byte, 1)); errors.Is(err, syscall.ETIMEDOUT) || isTimeout(err) {
		return Mute
	}
	return Reachable
}

// classify says what an error of a connection means.
func classify(err error) Answer {
	switch {
	case noAddress(err):
		return Unknown
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		return Refused
	case isTimeout(err), errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH),
		errors.Is(err, syscall.EHOSTDOWN), errors.Is(err, syscall.ENETDOWN), errors.Is(err, syscall.ENONET):
		return Silent
	}
	return Unknown
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func noAddress(err error) bool {
	var e *net.DNSError
	var a *net.AddrError
	return errors.As(err, &e) || errors.As(err, &a)
}
