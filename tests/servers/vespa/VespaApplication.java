import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.yahoo.application.Application;
import com.yahoo.application.Networking;
import com.yahoo.application.container.DocumentAccesses;
import com.yahoo.application.container.handler.Request;
import com.yahoo.application.container.handler.Response;
import com.yahoo.config.application.api.ValidationOverrides;
import com.yahoo.config.model.NullConfigModelRegistry;
import com.yahoo.config.model.api.ConfigChangeAction;
import com.yahoo.config.model.api.ValidationParameters;
import com.yahoo.config.model.application.provider.FilesApplicationPackage;
import com.yahoo.config.model.deploy.DeployState;
import com.yahoo.config.model.deploy.TestProperties;
import com.yahoo.document.DocumentPut;
import com.yahoo.document.DocumentTypeManager;
import com.yahoo.document.json.DocumentOperationType;
import com.yahoo.document.json.JsonReader;
import com.yahoo.document.json.JsonWriter;
import com.yahoo.vespa.config.search.AttributesConfig;
import com.yahoo.vespa.model.VespaModel;
import com.yahoo.vespa.model.application.validation.Validation;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * Vespa's own Java half, asked by lines of JSON on standard input, answered by lines of JSON on standard output.
 *
 * {"model": folder, "previous": folder}: builds and validates the application package in the folder as a config
 * server does, as the successor of another if that is given.
 * {"serve": folder}: starts the container of an application package, without sockets and without content nodes.
 * {"put": body, "id": id}: reads a document of that application as /document/v1 does, and writes it again.
 * {"uri": ..., "method": ..., "body": ...}: hands a request to that container.
 */
public class VespaApplication {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static Application application;
    private static DocumentTypeManager types;

    public static void main(String[] args) throws Exception {
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err); // the answers have standard output to themselves
        BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = questions.readLine(); line != null; line = questions.readLine()) {
            ObjectNode answer = JSON.createObjectNode();
            try {
                answer(JSON.readTree(line), answer);
            } catch (Exception | Error error) {
                answer.put("error", messages(error));
            }
            answers.println(JSON.writeValueAsString(answer));
        }
        if (application != null) application.close();
        System.exit(0);
    }

    private static String messages(Throwable error) {
        StringBuilder all = new StringBuilder();
        for (Throwable cause = error; cause != null; cause = cause.getCause()) all.append(cause).append("; ");
        return all.toString();
    }

    private static void answer(JsonNode question, ObjectNode answer) throws Exception {
        if (question.has("model")) {
            model(question.get("model").asText(), question.path("previous").asText(""), answer);
        } else if (question.has("serve")) {
            if (application != null) application.close();
            String folder = question.get("serve").asText();
            application = Application.fromApplicationPackage(Path.of(folder), Networking.disable);
            types = DocumentAccesses.createFromSchemas(folder + "/schemas").getDocumentTypeManager();
        } else if (question.has("put")) {
            byte[] body = question.get("put").asText().getBytes(StandardCharsets.UTF_8);
            JsonReader reader = new JsonReader(types, new ByteArrayInputStream(body), new JsonFactory());
            DocumentPut put = (DocumentPut) reader.readSingleDocumentStreaming(DocumentOperationType.PUT,
                                                                      question.get("id").asText()).operation();
            answer.put("document", new String(JsonWriter.toByteArray(put.getDocument()), StandardCharsets.UTF_8));
        } else {
            byte[] body = question.path("body").asText("").getBytes(StandardCharsets.UTF_8);
            Request request = new Request("http://localhost" + question.get("uri").asText(), body,
                                          Request.Method.valueOf(question.get("method").asText()));
            request.getHeaders().put("Content-Type", "application/json");
            Response response = application.getJDisc("default").handleRequest(request);
            answer.put("status", response.getStatus());
            answer.put("body", new String(response.getBody(), StandardCharsets.UTF_8));
        }
    }

    private static void model(String folder, String previous, ObjectNode answer) throws Exception {
        DeployState.Builder state = state(folder);
        if (!previous.isEmpty()) {
            DeployState former = state(previous).build();
            state.previousModel(new VespaModel(new NullConfigModelRegistry(), former));
        }
        DeployState built = state.build();
        VespaModel model = new VespaModel(new NullConfigModelRegistry(), built);
        List<ConfigChangeAction> actions = new Validation().validate(model, new ValidationParameters(), built);
        actions.forEach(action -> answer.withArray("actions").add(action.getType() + ": " + action.getMessage()));
        for (String id : model.getConfigIds()) {
            if (!id.matches("[^/]+/search/cluster\\.[^/]+/[^/]+|.*/bakeoff_[^/]*")) continue;
            for (AttributesConfig.Attribute attribute : model.getConfig(AttributesConfig.class, id).attribute())
                answer.withObject("/attributes").put(attribute.name(), attribute.toString());
        }
    }

    private static DeployState.Builder state(String folder) throws Exception {
        FilesApplicationPackage files = FilesApplicationPackage.fromDir(new File(folder), Map.of());
        files.validateXML();
        files.validateFileExtensions();
        DeployState.Builder state = new DeployState.Builder()
                .applicationPackage(files)
                .properties(new TestProperties())
                .deployLogger((level, message) -> System.err.println(level + " " + message))
                .now(Instant.now());
        files.getValidationOverrides().ifPresent(reader -> state.validationOverrides(ValidationOverrides.fromXml(reader)));
        return state;
    }
}
