package consumer;

import dev.murmuration.reward.RewardModel;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** Prints the reward of a text. */
@SpringBootApplication
public class Main {
  public static void main(String[] arguments) {
    SpringApplication.run(Main.class, arguments);
  }

  @Bean
  CommandLineRunner score(RewardModel model) {
    return arguments ->
        System.out.println(model.score("Hello?", "Hi there, how can I help?").reward());
  }
}
