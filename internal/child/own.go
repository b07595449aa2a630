package child

import "os"

// Own is how children of a program are started: by command, or, if there is none, by this
// very program with the word name.
func Own(command []string, name string) ([]string, error) {
	if len(command) > 0 {
		return command, nil
	}
	self, err := os.Executable()
	return []string{self, name}, err
}
