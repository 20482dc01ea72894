package fence

import "testing"

func TestSecret(t *testing.T) {
	for name, want := range map[string]bool{
		"password": true, "PASSWD": true, "snmp_priv_passwd": true, "secret_key": true, "access_key": true, "token": true, "apikey": true,
		"api_key": true, "credentials": true, "community": true, "hexadecimal_kg": true,
		"ip": false, "username": false, "plug": false, "password_script": false, "password_file": false, "PASSWORD_FILE_2": false, "key_path": false,
	} {
		if SecretParam(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

func TestRunsPrograms(t *testing.T) {
	for name, want := range map[string]bool{"ipmitool_path": true, "ssh-options": true, "password_script": true, "debug-file": true, "api_path": false, "ip": false} {
		if runsPrograms(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
