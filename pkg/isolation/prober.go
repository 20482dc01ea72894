package isolation

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/isolation/probe"
	"one-ft/pkg/process"
)

// Network is what can be reached from this host; *probe.Network has it.
type Network interface {
	TCP(ctx context.Context, target, address string) probe.Result
	ICMP(ctx context.Context, target, address string) probe.Result
	DNS(ctx context.Context, target, address string) probe.Result
	Gateway(ctx context.Context) probe.Result
	Links() ([]probe.Link, error)
}

// Prober makes rounds of probes.
type Prober struct {
	network   Network
	oned      *OnedClient // nil without a token
	uptime    func() time.Duration
	timeout   time.Duration
	frontEnds []string // host:port
	witnesses []config.Witness
}

// Findings are a round with what is behind it, for people.
type Findings struct {
	Round    Round
	FrontEnd []probe.Result
	Witness  []probe.Result
	Unclear  error // why oned's answers say nothing; nil when they do
}

// String is what the probes found, in one line.
func (f Findings) String() string {
	var parts []string
	for _, r := range slices.Concat(f.FrontEnd, f.Witness) {
		parts = append(parts, fmt.Sprintf("%s %s: %s", r.Target, r.Reach, r.Detail))
	}
	if f.Unclear != nil {
		parts = append(parts, f.Unclear.Error())
	}
	return strings.Join(parts, "; ")
}

// Plain is String without words of others.
func (f Findings) Plain() string {
	return fmt.Sprintf("[front-end=%s witness=%s]", f.Round.FrontEnd, f.Round.Witness)
}

// NewProber makes a Prober for the front-ends and witnesses of a configuration. oned is nil when it cannot be asked.
func NewProber(c config.Isolation, network Network, oned *OnedClient, uptime func() time.Duration) (*Prober, error) {
	p := &Prober{network: network, oned: oned, uptime: uptime, timeout: c.Timeout}
	for _, endpoint := range c.FrontEnds {
		u, err := url.Parse(endpoint)
		if err != nil {
			return nil, fmt.Errorf("front-end: %w", err)
		}
		port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
		p.frontEnds = append(p.frontEnds, net.JoinHostPort(u.Hostname(), port))
	}
	for _, text := range c.Witnesses {
		w, err := config.ParseWitness(text)
		if err != nil {
			return nil, fmt.Errorf("witness: %w", err)
		}
		p.witnesses = append(p.witnesses, w)
	}
	return p, nil
}

// Round asks everything at the same time, and returns within the time-out of the configuration and a moment. What has
// not answered then counts as a probe that was not run.
func (p *Prober) Round(ctx context.Context) Findings {
	ctx, cancel := context.WithCancel(ctx) // probes have their own time-outs: one that is ended says nothing
	defer cancel()
	f := Findings{Round: Round{Began: p.uptime()}}
	frontEnds := all(p.frontEnds, func(address string) probe.Result { return p.network.TCP(ctx, "front-end "+address, address) })
	witnesses := all(p.witnesses, func(w config.Witness) probe.Result { return p.witness(ctx, w) })
	oned := make(chan Answer, 1)
	if p.oned == nil {
		oned <- Answer{}
	} else {
		go func() { oned <- p.oned.Ask(ctx) }()
	}
	var word Answer
	late := time.NewTimer(p.timeout + roundSlack/2)
	defer late.Stop()
	for range 3 {
		select {
		case f.FrontEnd = <-frontEnds:
		case f.Witness = <-witnesses:
		case word = <-oned:
		case <-late.C:
			late.Reset(0)
		}
	}
	f.Round.FrontEnd, f.Round.Witness = best(f.FrontEnd), best(f.Witness)
	f.Round.Reported, f.Round.Asked, f.Unclear = word.Reported, word.Asked, word.Err
	f.Round.Ended = p.uptime()
	return f
}

func (p *Prober) witness(ctx context.Context, w config.Witness) probe.Result {
	switch w.Kind {
	case config.WitnessTCP:
		return p.network.TCP(ctx, w.String(), w.Address)
	case config.WitnessICMP:
		return p.network.ICMP(ctx, w.String(), w.Address)
	case config.WitnessDNS:
		return p.network.DNS(ctx, w.String(), w.Address)
	}
	return p.network.Gateway(ctx)
}

// all asks about everything in a list at the same time; all answers come together.
func all[Q, A any](list []Q, ask func(Q) A) <-chan []A {
	together := make(chan []A, 1)
	go func() {
		answers := make([]A, len(list))
		process.Each(len(list), len(list), func(i int) { answers[i] = ask(list[i]) })
		together <- answers
	}()
	return together
}

// best is the best answer: probes that could not be run say nothing beside others.
func best(results []probe.Result) probe.Reach {
	top := probe.Unknown
	for _, r := range results {
		top = max(top, r.Reach)
	}
	return top
}
