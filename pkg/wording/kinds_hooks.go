package wording

// Hooks of oned that are not one-ft's: what they run, and what that means beside one-ft.
const (
	HookOurs     Kind = "hook-ours: one-ft"
	HookStock    Kind = "hook-stock: OpenNebula's host_error.rb"
	HookNamed    Kind = "hook-named: {program} (by its name it recovers VMs)"
	HookScript   Kind = "hook-script: {program} (line {line}: {call})"
	HookCalls    Kind = "hook-calls: {program}"
	HookHarmless Kind = "hook-harmless: {program} (leaves VMs and hosts alone)"
	HookUnknown  Kind = "hook-unknown: {program} (not known to one-ft)"

	HookRecovers Kind = "hook-recovers problem: {where} runs {runner} on {trigger}: beside one-ft the same VM is acted on twice at once, which can hang oned up to 5.10 for good"
	HookMay      Kind = "hook-may warning: {where} runs {runner} on {trigger}: if that acts on VMs or hosts, the same VM is acted on twice at once beside one-ft"
	HookBeside   Kind = "hook-beside: {where} runs {runner} on {trigger}; an admin said that it leaves VMs and hosts alone (--beside)"
)
