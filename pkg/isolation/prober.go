package isolation

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"time"

	"one-ft/pkg/config"
	"one-ft/pkg/isolation/probe"
)

// Network is asked what can be reached from this host; *probe.Network has it.
type Network interface {
	TCP(ctx context.Context, target, address string) probe.Result
	ICMP(ctx context.Context, target, address string) probe.Result
	DNS(ctx context.Context, target, address string) probe.Result
	Gateway(ctx context.Context) probe.Result
}

// Prober makes rounds of probes.
type Prober struct {
	network   Network
	asker     *Asker // nil without a token
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
	Answers  []Answer
	// Unclear is why oned's answers say nothing; nil when they do.
	Unclear error
}

// NewProber makes a Prober for the front-ends and witnesses of a configuration. asker is
// nil when oned cannot be asked.
func NewProber(c config.Isolation, network Network, asker *Asker, uptime func() time.Duration) (*Prober, error) {
	p := &Prober{network: network, asker: asker, uptime: uptime, timeout: c.Timeout}
	for _, endpoint := range c.FrontEnds {
		u, err := url.Parse(endpoint)
		if err != nil {
			return nil, fmt.Errorf("front-end: %w", err)
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
		}
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

// Round asks everything at the same time, and returns within the time-out of the
// configuration and a moment. What has not answered then counts as a probe that was not
// run.
func (p *Prober) Round(ctx context.Context) Findings {
	ctx, cancel := context.WithCancel(ctx) // probes have their own time-outs: one that is ended says nothing
	defer cancel()
	f := Findings{Round: Round{Began: p.uptime()}}
	fronts, witnesses, answers := make(chan []probe.Result, 1), make(chan []probe.Result, 1), make(chan []Answer, 1)
	go func() { fronts <- all(len(p.frontEnds), func(i int) probe.Result { return p.frontEnd(ctx, i) }) }()
	go func() { witnesses <- all(len(p.witnesses), func(i int) probe.Result { return p.witness(ctx, i) }) }()
	go func() {
		if p.asker == nil {
			answers <- nil
			return
		}
		ctx, cancel := context.WithTimeout(ctx, p.timeout)
		defer cancel()
		answers <- p.asker.Ask(ctx)
	}()
	late := time.NewTimer(p.timeout + roundSlack/2)
	defer late.Stop()
	for range 3 {
		select {
		case f.FrontEnd = <-fronts:
		case f.Witness = <-witnesses:
		case f.Answers = <-answers:
		case <-late.C:
			late.Reset(0)
		}
	}
	f.Round.FrontEnd, f.Round.Witness = best(f.FrontEnd), best(f.Witness)
	if p.asker != nil {
		var via int
		f.Round.Says, f.Round.Asked, via, f.Unclear = Agree(f.Answers)
		p.asker.Use(via)
	}
	f.Round.Ended = p.uptime()
	return f
}

// frontEnd connects to one front-end.
func (p *Prober) frontEnd(ctx context.Context, i int) probe.Result {
	return p.network.TCP(ctx, "front-end "+p.frontEnds[i], p.frontEnds[i])
}

// witness asks one witness.
func (p *Prober) witness(ctx context.Context, i int) probe.Result {
	w := p.witnesses[i]
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

// all asks n things at the same time.
func all(n int, ask func(i int) probe.Result) []probe.Result {
	results := make([]probe.Result, n)
	done := make(chan struct{}, n)
	for i := range n {
		go func() {
			results[i] = ask(i)
			done <- struct{}{}
		}()
	}
	for range n {
		<-done
	}
	return results
}

// best is the best answer: probes that could not be run say nothing beside others.
func best(results []probe.Result) probe.Reach {
	top := probe.Unknown
	for _, r := range results {
		top = max(top, r.Reach)
	}
	return top
}
