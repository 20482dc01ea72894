package failfast

import (
	"testing"
	"time"
)

func TestResolveAll(t *testing.T) {
	t.Parallel()
	m := &machine{settings: map[string]string{"b": "connecttimeout 7\n"}}
	all := Client{Machine: m}.ResolveAll(t.Context(), []string{"a", "b", "-x"})
	if len(all) != 3 || all[0].ConnectTimeout != 0 || all[1].ConnectTimeout != 7*time.Second || all[2].Err == nil || all[1].HostName != "b" {
		t.Errorf("%+v", all)
	}
}
