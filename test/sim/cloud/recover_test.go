package cloud

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"one-ft/pkg/one"
)

// untried lists what recover leads to at once from states that the matrices do
// not have: version, state, then the states after failure, success and retry,
// "-" where 4.4 has no such call. A "<" means that the VM is back on the host
// that it came from. Source: src/lcm/LifeCycleStates.cc and
// LifeCycleActions.cc of 4.4.1, 5.10.5 and 6.10.0.
const untried = `
4.4   CLEANUP_DELETE                 DONE                           DONE             -
4.4   FAILURE                        FAILED                         FAILED           -
4.4   EPILOG                         FAILURE                        DONE             -
4.4   EPILOG_STOP                    FAILURE                        STOPPED          -
4.4   EPILOG_UNDEPLOY                FAILURE                        UNDEPLOYED       -
4.4   PROLOG_MIGRATE                 FAILURE                        BOOT             -
4.4   PROLOG_RESUME                  STOPPED                        BOOT_STOPPED     -
4.4   PROLOG_UNDEPLOY                UNDEPLOYED                     BOOT_UNDEPLOY    -
4.4   BOOT_STOPPED                   EPILOG_STOP                    RUNNING          -
4.4   BOOT_UNDEPLOY                  EPILOG_UNDEPLOY                RUNNING          -
4.4   BOOT_SUSPENDED                 SUSPENDED                      RUNNING          -
4.4   CANCEL                         RUNNING                        EPILOG           -
4.4   SAVE_MIGRATE                   <RUNNING                       PROLOG_MIGRATE   -
4.4   SAVE_STOP                      RUNNING                        EPILOG_STOP      -
4.4   HOTPLUG                        RUNNING                        RUNNING          -
4.4   HOTPLUG_SAVEAS_SUSPENDED       SUSPENDED                      SUSPENDED        -
5.10  CLEANUP_DELETE                 DONE                           DONE             CLEANUP_DELETE
5.10  SAVE_MIGRATE                   <RUNNING                       PROLOG_MIGRATE   SAVE_MIGRATE
5.10  PROLOG_MIGRATE                 PROLOG_MIGRATE_FAILURE         BOOT_MIGRATE     PROLOG_MIGRATE
5.10  PROLOG_MIGRATE_FAILURE         <BOOT_MIGRATE                  BOOT_MIGRATE     PROLOG_MIGRATE
5.10  PROLOG_MIGRATE_UNKNOWN         PROLOG_MIGRATE_UNKNOWN_FAILURE BOOT             PROLOG_MIGRATE_UNKNOWN
5.10  PROLOG_MIGRATE_UNKNOWN_FAILURE <BOOT                          BOOT             PROLOG_MIGRATE_UNKNOWN
5.10  PROLOG_MIGRATE_POWEROFF        PROLOG_MIGRATE_POWEROFF_FAILURE POWEROFF        PROLOG_MIGRATE_POWEROFF
5.10  PROLOG_MIGRATE_POWEROFF_FAILURE <POWEROFF                     POWEROFF         PROLOG_MIGRATE_POWEROFF
5.10  PROLOG_MIGRATE_SUSPEND         PROLOG_MIGRATE_SUSPEND_FAILURE SUSPENDED        PROLOG_MIGRATE_SUSPEND
5.10  PROLOG_MIGRATE_SUSPEND_FAILURE <SUSPENDED                     SUSPENDED        PROLOG_MIGRATE_SUSPEND
5.10  PROLOG_RESUME                  PROLOG_RESUME_FAILURE          BOOT_STOPPED     PROLOG_RESUME
5.10  PROLOG_RESUME_FAILURE          PROLOG_RESUME_FAILURE          BOOT_STOPPED     PROLOG_RESUME
5.10  PROLOG_UNDEPLOY                PROLOG_UNDEPLOY_FAILURE        BOOT_UNDEPLOY    PROLOG_UNDEPLOY
5.10  PROLOG_UNDEPLOY_FAILURE        PROLOG_UNDEPLOY_FAILURE        BOOT_UNDEPLOY    PROLOG_UNDEPLOY
5.10  BOOT_UNKNOWN                   UNKNOWN                        RUNNING          BOOT_UNKNOWN
5.10  BOOT_POWEROFF                  POWEROFF                       RUNNING          BOOT_POWEROFF
5.10  BOOT_SUSPENDED                 SUSPENDED                      RUNNING          BOOT_SUSPENDED
5.10  BOOT_STOPPED                   BOOT_STOPPED_FAILURE           RUNNING          BOOT_STOPPED
5.10  BOOT_STOPPED_FAILURE           BOOT_STOPPED_FAILURE           RUNNING          BOOT_STOPPED
5.10  BOOT_UNDEPLOY                  BOOT_UNDEPLOY_FAILURE          RUNNING          BOOT_UNDEPLOY
5.10  BOOT_UNDEPLOY_FAILURE          BOOT_UNDEPLOY_FAILURE          RUNNING          BOOT_UNDEPLOY
5.10  BOOT_MIGRATE                   BOOT_MIGRATE_FAILURE           RUNNING          BOOT_MIGRATE
5.10  BOOT_MIGRATE_FAILURE           BOOT_MIGRATE_FAILURE           RUNNING          BOOT_MIGRATE
5.10  EPILOG                         EPILOG_FAILURE                 DONE             EPILOG
5.10  EPILOG_FAILURE                 EPILOG_FAILURE                 DONE             EPILOG
5.10  EPILOG_STOP                    EPILOG_STOP_FAILURE            STOPPED          EPILOG_STOP
5.10  EPILOG_STOP_FAILURE            EPILOG_STOP_FAILURE            STOPPED          EPILOG_STOP
5.10  EPILOG_UNDEPLOY                EPILOG_UNDEPLOY_FAILURE        UNDEPLOYED       EPILOG_UNDEPLOY
5.10  EPILOG_UNDEPLOY_FAILURE        EPILOG_UNDEPLOY_FAILURE        UNDEPLOYED       EPILOG_UNDEPLOY
5.10  SHUTDOWN_POWEROFF              RUNNING                        POWEROFF         SHUTDOWN_POWEROFF
5.10  SHUTDOWN_UNDEPLOY              RUNNING                        EPILOG_UNDEPLOY  SHUTDOWN_UNDEPLOY
5.10  HOTPLUG                        RUNNING                        RUNNING          HOTPLUG
5.10  HOTPLUG_NIC                    RUNNING                        RUNNING          HOTPLUG_NIC
5.10  HOTPLUG_SNAPSHOT               RUNNING                        RUNNING          HOTPLUG_SNAPSHOT
5.10  HOTPLUG_SAVEAS                 RUNNING                        RUNNING          HOTPLUG_SAVEAS
5.10  HOTPLUG_SAVEAS_POWEROFF        POWEROFF                       POWEROFF         HOTPLUG_SAVEAS_POWEROFF
5.10  HOTPLUG_SAVEAS_SUSPENDED       SUSPENDED                      SUSPENDED        HOTPLUG_SAVEAS_SUSPENDED
5.10  HOTPLUG_PROLOG_POWEROFF        POWEROFF                       POWEROFF         HOTPLUG_PROLOG_POWEROFF
5.10  HOTPLUG_EPILOG_POWEROFF        POWEROFF                       POWEROFF         HOTPLUG_EPILOG_POWEROFF
5.10  DISK_SNAPSHOT                  RUNNING                        RUNNING          DISK_SNAPSHOT
5.10  DISK_SNAPSHOT_DELETE           RUNNING                        RUNNING          DISK_SNAPSHOT_DELETE
5.10  DISK_SNAPSHOT_POWEROFF         POWEROFF                       POWEROFF         DISK_SNAPSHOT_POWEROFF
5.10  DISK_SNAPSHOT_REVERT_POWEROFF  POWEROFF                       POWEROFF         DISK_SNAPSHOT_REVERT_POWEROFF
5.10  DISK_SNAPSHOT_DELETE_POWEROFF  POWEROFF                       POWEROFF         DISK_SNAPSHOT_DELETE_POWEROFF
5.10  DISK_SNAPSHOT_SUSPENDED        SUSPENDED                      SUSPENDED        DISK_SNAPSHOT_SUSPENDED
5.10  DISK_SNAPSHOT_REVERT_SUSPENDED SUSPENDED                      SUSPENDED        DISK_SNAPSHOT_REVERT_SUSPENDED
5.10  DISK_SNAPSHOT_DELETE_SUSPENDED SUSPENDED                      SUSPENDED        DISK_SNAPSHOT_DELETE_SUSPENDED
5.10  DISK_RESIZE                    RUNNING                        RUNNING          DISK_RESIZE
5.10  DISK_RESIZE_POWEROFF           POWEROFF                       POWEROFF         DISK_RESIZE_POWEROFF
5.10  DISK_RESIZE_UNDEPLOYED         UNDEPLOYED                     UNDEPLOYED       DISK_RESIZE_UNDEPLOYED
6.10  HOTPLUG_NIC_POWEROFF           POWEROFF                       POWEROFF         HOTPLUG_NIC_POWEROFF
6.10  HOTPLUG_RESIZE                 RUNNING                        RUNNING          HOTPLUG_RESIZE
6.10  HOTPLUG_SAVEAS_UNDEPLOYED      UNDEPLOYED                     UNDEPLOYED       HOTPLUG_SAVEAS_UNDEPLOYED
6.10  HOTPLUG_SAVEAS_STOPPED         STOPPED                        STOPPED          HOTPLUG_SAVEAS_STOPPED
6.10  BACKUP                         RUNNING                        RUNNING          BACKUP
6.10  BACKUP_POWEROFF                POWEROFF                       POWEROFF         BACKUP_POWEROFF
6.10  RESTORE                        POWEROFF                       POWEROFF         RESTORE
`

func TestRecoverFromUntriedStates(t *testing.T) {
	for line := range strings.Lines(strings.TrimSpace(untried)) {
		col := strings.Fields(line)
		for op, want := range col[2:] {
			if want == "-" {
				continue
			}
			t.Run(fmt.Sprint(col[0], "/", col[1], "/", op), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { recoverFrom(t, col[0], col[1], op, want) })
			})
		}
	}
}

// recoverFrom tries one recover of a VM that came from host 0 and is on host 3.
func recoverFrom(t *testing.T, version, from string, op int, want string) {
	v := vmIn(t, 1, 0, from)
	if len(v.History) == 1 {
		v.History = append(v.History, Record{Seq: 1, HostID: 3, STime: 102})
	}
	c := newCloud(t, version, func(cfg *Config) { cfg.VMs = []VM{v} })
	if version == "4.4" {
		must(t, c, "one.vm.recover", 1, op == 1)
	} else {
		must(t, c, "one.vm.recover", 1, op)
	}
	state, reverted := strings.CutPrefix(want, "<")
	wantState(t, c, 1, state)
	host, records := 3, 2
	if reverted {
		host, records = 0, 3
	}
	if v, _ := c.VM(1); v.last().HostID != host || len(v.History) != records {
		t.Errorf("history %+v", v.History)
	}
	// In every state recreate and delete are accepted afterwards, but for DONE
	// and for what 4.4 and 5.10 refuse.
	refusing := []string{"DONE", "POWEROFF", "SUSPENDED"}
	if g, err := recreate(c, 1); err != nil || !g.ok() && !slices.Contains(refusing, state) {
		t.Errorf("recreate from %s: %v %v", state, g, err)
	}
	pass(time.Minute)
	if now := stateOf(t, c, 1); now != "RUNNING" && now != "DONE" && now != state {
		t.Errorf("ended %s", now)
	}
}

func TestMigrationWithPoweroff(t *testing.T) {
	for kind, want := range map[int]string{0: "BOOT_MIGRATE", 1: "BOOT", 2: "BOOT"} {
		synctest.Test(t, func(t *testing.T) {
			c := newCloud(t, "7.4", func(cfg *Config) { cfg.VMs = []VM{runningOn(1, 0)} })
			went := path(c, 1)
			must(t, c, "one.vm.migrate", 1, 2, false, false, -1, kind)
			pass(3 * time.Second)
			if !slices.Equal(*went, []string{"SAVE_MIGRATE", "PROLOG_MIGRATE", want, "RUNNING"}) {
				t.Errorf("kind %d went %v", kind, *went)
			}
		})
	}
}

func TestHardActionsAgain(t *testing.T) {
	for from, action := range map[string]string{
		"SHUTDOWN": "terminate-hard", "SHUTDOWN_POWEROFF": "poweroff-hard", "SHUTDOWN_UNDEPLOY": "undeploy-hard",
	} {
		for _, version := range []string{"5.10", "6.10"} {
			synctest.Test(t, func(t *testing.T) {
				c := newCloud(t, version, func(cfg *Config) { cfg.VMs = []VM{vmIn(t, 1, 0, from)} })
				if g, err := try(c, "one.vm.action", action, 1); err != nil || g.ok() != (version == "6.10") {
					t.Errorf("%s: %s from %s: %v %v", version, action, from, g, err)
				}
				pass(3 * time.Second)
				if moved := stateOf(t, c, 1) != from; moved != (version == "6.10") {
					t.Errorf("%s: %s", version, stateOf(t, c, 1))
				}
			})
		}
	}
}

func TestFailedDriversSayWhy(t *testing.T) {
	for version, want := range map[string]string{
		"5.10": " : Error shutting down VM: ssh: connect to host host01 port 22: No route to host",
		"7.4":  ": SHUTDOWN: ssh: connect to host host01 port 22: No route to host",
	} {
		synctest.Test(t, func(t *testing.T) {
			c := deadHost(t, version, runningOn(1, 0))
			must(t, c, "one.vm.action", "poweroff", 1)
			pass(time.Second)
			v, _ := c.VM(1)
			if !strings.HasSuffix(v.UserTemplate["ERROR"], want) {
				t.Errorf("%s: %q", version, v.UserTemplate["ERROR"])
			}
			lost := one.Running
			if version == "5.10" {
				lost = one.Unknown
			}
			if v.LCM != lost {
				t.Errorf("%s: %s", version, v.LCM)
			}
		})
	}
}
