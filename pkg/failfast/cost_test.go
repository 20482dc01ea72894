package failfast

import (
	"testing"
	"time"
)

func TestCleanUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		death   Death
		vms     int
		timeout time.Duration
		want    time.Duration
		ends    bool
	}{
		{DeathDropped, 1, 0, 405 * time.Second, true}, // 404 s were measured
		{DeathDropped, 40, 0, 3 * 405 * time.Second, true},
		{DeathDropped, 15, 10 * time.Second, 30 * time.Second, true},
		{DeathNoARP, 6, 10 * time.Second, 9 * time.Second, true},
		{DeathRefused, 100, 0, 0, true},
		{DeathFrozen, 1, 0, 0, false},
		{DeathFrozen, 1, 10 * time.Second, 30 * time.Second, true},
		{DeathNoARP, 0, 0, 0, true},
		{"", 1, 0, 0, false},
	} {
		if got, ends := CleanUp(c.death, c.vms, c.timeout); got != c.want || ends != c.ends {
			t.Errorf("%+v: %s, %v", c, got, ends)
		}
	}
}

func TestResolveAll(t *testing.T) {
	t.Parallel()
	m := &machine{settings: map[string]string{"b": "connecttimeout 7\n"}}
	all := Client{Machine: m}.ResolveAll(t.Context(), []string{"a", "b", "-x"})
	if len(all) != 3 || all[0].ConnectTimeout != 0 || all[1].ConnectTimeout != 7*time.Second || all[2].Err == nil || all[1].HostName != "b" {
		t.Errorf("%+v", all)
	}
}
