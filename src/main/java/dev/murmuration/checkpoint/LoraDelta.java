package dev.murmuration.checkpoint;

import dev.murmuration.tensors.CheckpointTensor;

/**
 * What a LoRA adapter adds to a matrix: {@code scale · down · up}.
 *
 * @param up of shape [rank, columns], {@code lora_A} in peft
 * @param down of shape [rows, rank], {@code lora_B} in peft
 * @param scale factor of the product
 */
record LoraDelta(CheckpointTensor up, CheckpointTensor down, float scale) {
  int rank() {
    return (int) (long) up.shape().getFirst();
  }
}
