import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Runs a node whose home is the directory given, until it is killed. What the distribution's own start does besides
 * is left out: keystore, and entitlements, whose agent is not published apart from it.
 */
public final class StartNode {
    public static void main(String[] arguments) throws Exception {
        Path home = Path.of(arguments[0]);
        Settings settings = Settings.builder().put("path.home", home).build();
        Environment environment =
            InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home.resolve("config"), () -> "bakeoff");
        LogConfigurator.setNodeName("bakeoff");
        LogConfigurator.configure(environment, true);
        var modules = PluginsLoader.loadModulesBundles(environment.modulesDir(), false);
        try (Node node = new Node(environment, PluginsLoader.createPluginsLoader(modules, Set.of(), Map.of(), false))) {
            node.start();
            new CountDownLatch(1).await();
        }
    }
}
