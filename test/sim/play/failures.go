package play

import (
	"fmt"
	"strings"
	"time"

	"one-ft/pkg/incident"
	"one-ft/pkg/one"
	"one-ft/test/sim/cloud"
)

// fail lets what is being done with a VM fail: since 4.14 it is in the failure of what it was
// doing, before, which is old, in FAILED, and only its history tells what that was.
func fail(v *cloud.VM, old bool) error {
	if !old {
		return setState(v, v.LCM.String()+"_FAILURE")
	}
	if v.State != one.Active || len(v.History) == 0 {
		return fmt.Errorf("nothing is being done with vm %d", v.ID)
	}
	last := &v.History[len(v.History)-1]
	last.ETime = time.Now().Unix()
	if strings.HasPrefix(v.LCM.String(), "EPILOG") {
		last.RETime, last.ESTime, last.EETime = last.ETime, last.ETime, last.ETime
	}
	v.State, v.LCM = one.Failed, one.LCMInit
	return nil
}

// laterVersion makes records of a version that this one does not know.
func (f *frontEnd) laterVersion() error {
	return f.edit(func(text string) string {
		return strings.Replace(text, fmt.Sprintf(`"version": %d`, incident.RecordVersion), fmt.Sprintf(`"version": %d`, incident.RecordVersion+1), 1)
	})
}
