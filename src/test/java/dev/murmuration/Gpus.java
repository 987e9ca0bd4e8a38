package dev.murmuration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.llama.Device;
import dev.murmuration.llama.Llama;
import java.util.List;

/** The GPUs that tests with the tag {@code gpu} compute on; without one they fail. */
public final class Gpus {
  private Gpus() {}

  public static List<Device> all() {
    List<Device> devices =
        Llama.devices().stream().filter(device -> device.kind().takesLayers()).toList();
    assertThat(devices).as("GPUs, of " + Llama.backends()).isNotEmpty();
    return devices;
  }

  public static String first() {
    return all().getFirst().name();
  }
}
