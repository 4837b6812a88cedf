package checkpoint

import (
	"os"
	"path/filepath"

	"github.com/herd-lm/herd/core/disk"
)

// The state of a training run lies in a folder of the checkpoint, apart from the model that
// other programs read.
const (
	trainingDir   = "training"
	stateName     = "state.json"
	optimizerName = "optimizer.safetensors"
)

// WriteTraining writes the state of a training run into the folder training of a checkpoint
// directory: state as JSON and the optimiser's moments as tensors.
func WriteTraining(dir string, state any, moments []Tensor) error {
	dir = filepath.Join(dir, trainingDir)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := Write(filepath.Join(dir, optimizerName), moments, nil); err != nil {
		return err
	}
	return disk.WriteJSON(filepath.Join(dir, stateName), state)
}

// OpenTraining reads the state of WriteTraining into state, a pointer, and opens the moments.
// Unknown keys are an error. The error is os.ErrNotExist if the checkpoint has no training
// state.
func OpenTraining(dir string, state any) (moments *File, err error) {
	if err := disk.Recover(dir); err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, trainingDir)
	if err := disk.ReadJSON(filepath.Join(dir, stateName), state); err != nil {
		return nil, err
	}
	return Open(filepath.Join(dir, optimizerName))
}
