package one

import (
	"context"
	"errors"
	"fmt"
)

// RaftState is what a front-end is in its HA cluster (include/RaftManager.h, 5.4 to
// 7.4).
type RaftState int

// The states of a front-end.
const (
	RaftSolo      RaftState = 0 // there is no cluster
	RaftCandidate RaftState = 1
	RaftFollower  RaftState = 2
	RaftLeader    RaftState = 3
)

// Raft is the place of one front-end in its HA cluster.
type Raft struct {
	State  RaftState
	Server int // ID of the server; -1 without a cluster
	Term   int // grows with each election
}

// Raft reads the place of the front-end that answers. A front-end that does not know
// the question (before 5.4) has no cluster. Followers, and leaders that have lost the
// others, answer calls that only read by themselves (src/rm/Request.cc, 6.10): who has
// to be certain has to ask this, too.
func (c *Client) Raft(ctx context.Context) (Raft, error) {
	r, err := readObject(ctx, c, "RAFT", func(o *object) (Raft, error) {
		r := Raft{State: RaftState(o.integer("STATE")), Server: o.integer("SERVER_ID"), Term: o.integer("TERM")}
		return r, o.err
	}, "one.zone.raftstatus")
	switch {
	case errors.Is(err, ErrUnsupported):
		return Raft{State: RaftSolo, Server: -1}, nil
	case err != nil:
		return Raft{}, fmt.Errorf("read the state of the front-end: %w", err)
	}
	return r, nil
}
