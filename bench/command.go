package bench

import "os"

// commandOr is command, or this program's own of that name.
func commandOr(command []string, name string) ([]string, error) {
	if len(command) > 0 {
		return command, nil
	}
	self, err := os.Executable()
	return []string{self, name}, err
}
