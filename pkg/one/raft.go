package one

import (
	"context"
	"errors"
)

// raftFollower and raftCandidate are states of a server in one.zone.raftstatus (RaftManager.h,
// 5.4 to 7.4); 0 is alone, 3 the leader.
const (
	raftCandidate = 1
	raftFollower  = 2
)

// Follows reports whether this oned is a follower of another front-end or looks for a
// leader: its own hooks do not run then. It is false before 5.4, which knows no followers.
func (c *Client) Follows(ctx context.Context) (bool, error) {
	raft, err := c.document(ctx, "one.zone.raftstatus")
	if errors.Is(err, ErrUnsupported) {
		return false, nil
	}
	if err == nil {
		err = raft.Require("STATE")
	}
	state := raft.Number("STATE")
	return state == raftFollower || state == raftCandidate, wrap(err, "read the state of the front-end")
}
