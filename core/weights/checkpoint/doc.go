// Package checkpoint keeps named tensors on disk: safetensors files, alone or in shards with an
// index. It knows no model.
//
// Begin with [OpenModel] to read the weights of a directory and [WriteModel] to write them.
// [Open] and [Write] handle a single file. [OpenTraining] and [WriteTraining] keep the state of
// a training run.
//
// A File maps its data into memory (where the system cannot, it reads it). Pages leave the
// process as soon as they have been read, so a checkpoint is in memory once. A file that
// shrinks while it is read causes an error.
package checkpoint
